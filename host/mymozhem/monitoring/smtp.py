"""Send mails: one message to one address over SMTP."""

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

#: for each reply of the server, including that to QUIT
TIMEOUT_SECONDS = 20.0
#: for a whole mail, without QUIT; both together are less than the lease of the mail
IN_ALL_SECONDS = 90.0
_SUBMISSION, _SMTPS = 587, 465
_ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+")


class MailFailed(MymozhemError):
    """The mail server did not accept a mail; `server` says whether it would reject others, too."""

    default_code = "MAIL_FAILED"

    def __init__(self, message: str, *, server: bool) -> None:
        self.server = server
        super().__init__(message)


@dataclass(frozen=True)
class Mail:
    """A mail to one address; `id` stays the same in every attempt."""

    id: str
    attempt: int
    recipient: str
    subject: str
    body: str
    created_at: datetime


@dataclass(frozen=True)
class Mailer:
    """A mail server and the sender's address.

    `smtps://` uses TLS from the start. For `smtp://`, the connection is upgraded if the server can
    do it; a password is sent unencrypted to this machine only.
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
        """Read the settings; None if no server is configured."""
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
        """Send a mail to the server; raises `MailFailed`."""
        if not _ADDRESS.fullmatch(mail.recipient):
            raise MailFailed(f"{mail.recipient!r} is not an address.", server=False)
        try:
            message = self._message(mail)
            async with asyncio.timeout(self.in_all):
                await self._hand_over(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise MailFailed(f"{mail.recipient} was refused: {error}", server=False) from error
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise MailFailed(_reason(error), server=True) from error
        except (MessageError, ValueError) as error:  # not allowed in a header
            raise MailFailed(_reason(error), server=False) from error

    @property
    def needs_tls(self) -> bool:
        """Whether to send nothing without TLS, because others could read the password."""
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
        """Return the message; the library rejects a line break in any header."""
        message = EmailMessage()
        message["From"] = Address("mymozhem", addr_spec=self.sender)
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = mail.subject
        message["Date"] = mail.created_at
        # The same in every attempt, so that mail programs recognize duplicates.
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


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
