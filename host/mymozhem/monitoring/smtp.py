"""The way out for mails: one message to one address over SMTP."""

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from mymozhem.config import Settings
from mymozhem.errors import MymozhemError

#: for each answer of the server, also to our good-bye
TIMEOUT_SECONDS = 20.0
#: for a mail in all, good-bye aside; both together are less than the lease under which it is sent
IN_ALL_SECONDS = 90.0
_SUBMISSION, _SMTPS = 587, 465
_ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+")


class MailFailed(MymozhemError):
    """The mail server did not take a mail; `server` tells whether it would take no other either."""

    default_code = "MAIL_FAILED"

    def __init__(self, message: str, *, server: bool) -> None:
        self.server = server
        super().__init__(message)


@dataclass(frozen=True)
class Mail:
    """One mail to one address; `id` stays the same in every attempt."""

    id: str
    attempt: int
    recipient: str
    subject: str
    body: str
    created_at: datetime


@dataclass(frozen=True)
class Mailer:
    """A mail server and the address that mails come from.

    TLS from the start for smtps://. For smtp:// the connection is upgraded where the server can;
    a password is sent unencrypted to this machine only.
    """

    hostname: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    tls: bool
    sender: str
    timeout: float = TIMEOUT_SECONDS
    in_all: float = IN_ALL_SECONDS

    @classmethod
    def of(cls, settings: Settings) -> "Mailer | None":
        """Read the settings; None where no server is set."""
        if settings.smtp_url is None or settings.mail_from is None:
            return None
        url = urlsplit(settings.smtp_url.get_secret_value())
        tls = url.scheme == "smtps"
        return cls(
            hostname=url.hostname or "",
            port=url.port or (_SMTPS if tls else _SUBMISSION),
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            tls=tls,
            sender=settings.mail_from,
        )

    async def send(self, mail: Mail) -> None:
        """Hand a mail to the server; raises `MailFailed`."""
        if not _ADDRESS.fullmatch(mail.recipient):
            raise MailFailed(f"{mail.recipient!r} is no address.", server=False)
        try:
            message = self._message(mail)
            async with asyncio.timeout(self.in_all):
                await self._hand_over(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise MailFailed(f"{mail.recipient} was refused: {error}", server=False) from error
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise MailFailed(_told(error), server=True) from error
        except (MessageError, ValueError) as error:  # what no header can hold
            raise MailFailed(_told(error), server=False) from error

    @property
    def needs_tls(self) -> bool:
        """Whether nothing is sent without TLS: a password would be read on its way."""
        return self.username is not None and not _is_here(self.hostname)

    async def _hand_over(self, message: EmailMessage) -> None:
        await aiosmtplib.send(
            message,
            hostname=self.hostname,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.tls,
            start_tls=True if self.needs_tls and not self.tls else None,
            timeout=self.timeout,
        )

    def _message(self, mail: Mail) -> EmailMessage:
        """Build a message; the library refuses a line break in any header."""
        message = EmailMessage()
        message["From"] = Address("mymozhem", addr_spec=self.sender)
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = mail.subject
        message["Date"] = mail.created_at
        # The same in every attempt, so that a mail that arrives twice is seen as one.
        message["Message-ID"] = f"<{mail.id}@{self.sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.body)
        return message


def _is_here(hostname: str) -> bool:
    if hostname == "localhost":
        return True
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return False


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
