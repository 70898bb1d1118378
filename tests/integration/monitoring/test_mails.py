"""Mails arrive at a real SMTP server: once, whole, and later where it was away."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from pydantic import SecretStr

from mymozhem.config import Settings
from mymozhem.monitoring import mail_queue
from mymozhem.monitoring.mail_queue import MailSender, enqueue
from mymozhem.monitoring.mail_texts import MailText
from mymozhem.monitoring.smtp import IN_ALL_SECONDS, TIMEOUT_SECONDS, Mail, Mailer, MailFailed
from tests.integration.monitoring.records import OPEN, MonitoredHost, health, letters

pytestmark = pytest.mark.both_engines

LETTER = MailText("[mymozhem] critical: it broke", "Rooms: Küche\n.\nBcc: nobody@example.org\n")


@dataclass
class Inbox:
    """What a mail server took; it refuses the addresses of `unknown`."""

    unknown: frozenset[str] = frozenset()
    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.unknown:
            return "550 nobody here by that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.taken.append((envelope.rcpt_tos, message))
        return "250 taken"


@asynccontextmanager
async def smtp_server(inbox: Inbox, *, port: int = 0, **more) -> AsyncIterator[int]:
    """Run an SMTP server on loopback; yield its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(inbox, hostname="localhost", loop=loop, **more), "127.0.0.1", port
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def mailer(port: int, login: str = "") -> Mailer:
    found = Mailer.of(
        Settings(
            smtp_url=SecretStr(f"smtp://{login}127.0.0.1:{port}"), mail_from="host@example.org"
        )
    )
    assert found is not None
    return found


async def posted(database, recipient="admin@example.org", letter=LETTER) -> None:
    async with database.write() as unit:
        enqueue(unit, recipient, letter)


async def test_a_mail_arrives_whole_and_once(database, clock):
    inbox = Inbox()
    await posted(database)
    async with smtp_server(inbox) as port:
        postmen = [MailSender(database, mailer(port), clock) for _ in range(3)]
        sent = await asyncio.gather(*(each.send_due() for each in postmen))
        assert sum(sent) == 1
        clock.advance(timedelta(hours=3))
        assert await postmen[0].send_due() == 0
    ((recipients, message),) = inbox.taken
    (row,) = await letters(database)
    assert recipients == ["admin@example.org"]
    assert message["Subject"] == "[mymozhem] critical: it broke"
    assert message["From"] == "mymozhem <host@example.org>"
    assert message["Message-ID"] == f"<{row.id}@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Bcc"] is None
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == LETTER.body
    assert (row.attempts, row.next_at, row.problem) == (1, None, None)
    assert row.sent_at == row.created_at


async def test_a_server_that_is_away_delays_a_mail_and_loses_none(database, clock):
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        pass
    postman = MailSender(database, mailer(port), clock)
    await posted(database)
    await posted(database, "owner@example.org")
    assert await postman.send_due() == 0
    rows = await letters(database)
    assert sorted(row.attempts for row in rows) == [0, 1]  # the second one waits with the first
    assert "SMTPConnectError" in next(row.problem for row in rows if row.problem)
    async with smtp_server(inbox, port=port):
        clock.advance(30)
        assert await postman.send_due() == 1
        clock.advance(31)
        assert await postman.send_due() == 1
        clock.advance(timedelta(days=1))
        assert await postman.send_due() == 0
    assert sorted(each[0][0] for each in inbox.taken) == ["admin@example.org", "owner@example.org"]


async def test_attempts_come_less_and_less_often_and_end(database, clock):
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        pass
    postman = MailSender(database, mailer(port), clock)
    await posted(database)
    rests = []
    while True:
        await postman.send_due()
        (row,) = await letters(database)
        if row.next_at is None:
            break
        rests.append((row.next_at - clock.now()) / timedelta(minutes=1))
        clock.advance(row.next_at - clock.now())
    assert rests[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert sum(rests) >= mail_queue.GIVE_UP / timedelta(minutes=1)
    assert row.sent_at is None
    assert row.problem is not None


async def test_an_address_that_the_server_refuses_delays_no_other(database, clock):
    inbox = Inbox(unknown=frozenset({"gone@example.org"}))
    await posted(database, "gone@example.org")
    await posted(database)
    async with smtp_server(inbox) as port:
        assert await MailSender(database, mailer(port), clock).send_due() == 1
    problems = {row.recipient: row.problem for row in await letters(database)}
    assert "nobody here by that name" in problems["gone@example.org"]
    assert problems["admin@example.org"] is None


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_wrong_password_is_a_failure_that_is_noted(database, clock):
    def login(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=data.password == b"p@ss", handled=False)

    inbox = Inbox()
    more = {"authenticator": login, "auth_required": True, "auth_require_tls": False}
    async with smtp_server(inbox, **more) as port:
        await posted(database)
        assert await MailSender(database, mailer(port, "host:wrong@"), clock).send_due() == 0
        (row,) = await letters(database)
        assert "SMTPAuthenticationError" in row.problem
        assert "wrong" not in row.problem
        clock.advance(60)
        assert await MailSender(database, mailer(port, "host:p%40ss@"), clock).send_due() == 1


async def test_a_mail_whose_sender_died_is_sent_by_another(database, clock):
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        postman = MailSender(database, mailer(port), clock)
        await posted(database)
        assert await postman.take() is not None  # and then the process is killed
        assert await postman.send_due() == 0
        clock.advance(mail_queue.LEASE)
        assert await postman.send_due() == 1
    assert len(inbox.taken) == 1


async def test_a_silent_server_is_given_up_after_its_time(clock):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it connects, and says nothing
        impatient = Mailer(**vars(mailer(silent.getsockname()[1])) | {"timeout": 0.1})
        mail = Mail("mail_1", 1, "a@example.org", *LETTER, clock.now())
        with pytest.raises(MailFailed) as failed:
            await impatient.send(mail)
    assert failed.value.server


@pytest.mark.parametrize(
    "recipient", ["a@example.org\r\nBcc: b@example.org", "a@example.org, b@example.org", "", "a"]
)
async def test_an_address_is_one_address_or_none(database, clock, recipient):
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        mail = Mail("mail_1", 1, recipient, *LETTER, clock.now())
        with pytest.raises(MailFailed) as failed:
            await mailer(port).send(mail)
    assert not failed.value.server
    assert inbox.taken == []


@pytest.mark.parametrize(
    ("url", "port", "tls", "login", "secure"),
    [
        ("smtp://mail.example.org", 587, False, (None, None), False),
        ("smtps://u:p@mail.example.org", 465, True, ("u", "p"), True),
        ("smtp://u%40x:p%2F@mail.example.org:25", 25, False, ("u@x", "p/"), True),
        ("smtp://u:p@localhost:25", 25, False, ("u", "p"), False),
        ("smtp://u:p@[::1]:25", 25, False, ("u", "p"), False),
    ],
)
def test_an_address_of_a_server_is_read_whole(url, port, tls, login, secure):
    found = Mailer.of(Settings(smtp_url=SecretStr(url), mail_from="host@example.org"))
    assert found is not None
    assert (found.port, found.tls, (found.username, found.password)) == (port, tls, login)
    assert found.needs_tls is secure
    assert "p/" not in repr(found)


async def test_from_the_incident_to_the_inbox_and_its_end(database, clock):
    inbox, world = Inbox(), MonitoredHost(breakers=[OPEN])
    async with smtp_server(inbox) as port:
        settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "host@example.org"}
        loop = health(database, clock, world, **settings)
        for breakers in ([OPEN], [], []):
            world.breakers = breakers
            clock.advance(timedelta(minutes=2))
            await loop.run_due()
            await loop.send_mails()
    assert [message["Subject"].split(":")[0] for _, message in inbox.taken] == [
        "[mymozhem] critical",
        "[mymozhem] recovered",
    ]


async def test_mails_are_forgotten_after_a_while(database, clock):
    await posted(database)
    clock.advance(mail_queue.KEEP + timedelta(days=1))
    await mail_queue.forget_old(database)
    assert await letters(database) == []


async def test_a_server_that_takes_its_time_at_every_step_is_left_before_the_lease_ends(clock):
    class Dawdling(Inbox):
        async def handle_RCPT(self, *given):  # noqa: N802
            await asyncio.sleep(3600)

    async with smtp_server(Dawdling()) as port:
        impatient = Mailer(**vars(mailer(port)) | {"in_all": 0.1, "timeout": 0.3})
        with pytest.raises(MailFailed, match="TimeoutError") as failed:
            await impatient.send(Mail("mail_1", 1, "a@example.org", "S", "B", clock.now()))
    assert failed.value.server
    assert timedelta(seconds=IN_ALL_SECONDS + TIMEOUT_SECONDS) < mail_queue.LEASE
