"""A real mail server on the loopback interface, which can be told to refuse, and keeps what it took."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from commands.ports.chat import Address, AddressKind, Surroundings
from platform_adapters.chat.email.adapter import EmailPlatform
from platform_adapters.chat.email.settings import read_settings
from tests.support.chat import FakeInstallations
from tests.support.clock import FakeClock


@dataclass(slots=True)
class MailServer:
    """What the server does with the next messages, and what it took."""

    recipient_answer: str = "250 OK"
    data_answer: str = "250 OK"
    hangs_up: bool = False
    """Closes the connection when a message was handed over, without a word."""
    taken: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  # the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient_answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # as above
        if self.hangs_up:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        elif self.data_answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
        return self.data_answer


def _knows(server: SMTP, session: Session, envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"lapsebot", b"correct horse")
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def mail_server(*, wants_sign_in: bool = False) -> AsyncIterator[tuple[MailServer, Mapping[str, str]]]:
    """Run a server; gives it with the environment of an operator who uses it."""
    mail = MailServer()
    loop = asyncio.get_running_loop()

    def conversation() -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # it warns of signing in without TLS, here on loopback
            return SMTP(
                mail,
                hostname="mail.example",
                auth_required=wants_sign_in,
                auth_require_tls=False,
                authenticator=_knows,
                loop=loop,
            )

    listening = await loop.create_server(conversation, "127.0.0.1", 0)
    async with listening:
        yield (
            mail,
            {
                "LAPSEBOT_EMAIL_HOST": "127.0.0.1",
                "LAPSEBOT_EMAIL_PORT": str(listening.sockets[0].getsockname()[1]),
                "LAPSEBOT_EMAIL_SECURITY": "none",
                "LAPSEBOT_EMAIL_FROM": "lapsebot <lapsebot@bot.example>",
            },
        )


def platform(environment: Mapping[str, str]) -> EmailPlatform:
    """The adapter, as the bot would build it."""
    settings = read_settings(environment)
    assert settings is not None
    return EmailPlatform(settings, surroundings())


def surroundings() -> Surroundings:
    """What the adapter is given of its process; it uses the clock and the public address alone."""
    return Surroundings(
        clock=FakeClock(datetime(2026, 11, 22, 14, tzinfo=UTC)),
        installations=FakeInstallations(),
        public_url="https://bot.example",
        picture_url=lambda _: None,
    )


def to(address: str) -> Address:
    return Address(platform="email", tenant="", kind=AddressKind.DIRECT, external_id=address)
