"""Email as a ChatPlatform: it posts, and nothing else. No edits, no requests, no sign-in."""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from email import headerregistry
from email.errors import MessageError

import aiosmtplib

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ids import DeliveryId, to_wire
from commands.messages import Message
from commands.ports.chat import (
    Address,
    ChatPlatform,
    Check,
    Diagnosis,
    Endpoint,
    Inbound,
    Install,
    MessageRef,
    Pace,
    Profile,
    SignIn,
    Surroundings,
)
from platform_adapters.chat.email.failures import before_sending, while_sending
from platform_adapters.chat.email.render import Renderer
from platform_adapters.chat.email.settings import HOST, PREFIX, SENDER, EmailSettings, Security, read_settings

PLATFORM = "email"
_CONNECT_WITHIN, _SEND_WITHIN = 5.0, 10.0  # seconds


def build(environment: Mapping[str, str], surroundings: Surroundings) -> ChatPlatform | None:
    """Build the platform from its settings; None where it has none. Raises SettingError. Connects nothing."""
    settings = read_settings(environment)
    return EmailPlatform(settings, surroundings) if settings is not None else None


def how_to_install(environment: Mapping[str, str], public_url: str) -> str:  # noqa: ARG001  # as every platform's
    """What a mail server has to be told."""
    return (
        f"Set {HOST} to the mail server that takes your messages, and {SENDER} to whom they shall be from;\n"
        f"{PREFIX}USERNAME and {PREFIX}PASSWORD if it wants a sign-in. Let the server sign the messages (DKIM) for\n"
        "the sender's domain: one-click unsubscribing counts for mail readers only under a signature (RFC 8058).\n"
    )


class EmailPlatform:
    """One mail server."""

    name = PLATFORM
    label = "Email"
    pace = Pace(interval=timedelta(seconds=1), burst=10)
    deduplicates = False
    finds_by_email = False
    addressed_by_email = True
    edits = False
    personal_links = True
    sign_in: SignIn | None = None
    install: Install | None = None

    def __init__(self, settings: EmailSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._renderer = Renderer(sender=settings.sender, public_url=surroundings.public_url, clock=surroundings.clock)
        self._tls = ssl.create_default_context()

    @asynccontextmanager
    async def running(self, inbound: Inbound | None) -> AsyncIterator[None]:  # nothing comes in
        """There is nothing to hold open: each message has a connection of its own."""
        yield

    def lane(self, address: Address) -> str:  # one server serves every address
        """The server."""
        return PLATFORM

    async def post(
        self, address: Address, message: Message, delivery: DeliveryId, *, under: MessageRef | None = None
    ) -> MessageRef:
        """Hand a message to the server. Raises DeliveryError."""
        to = _recipient(address.external_id)
        message_id = f"<{to_wire(delivery)}@{self._settings.sender.domain}>"  # the same each time it is sent
        email = self._renderer.render(
            message, to=to, message_id=message_id, reply_to_id=under.message if under is not None else None
        )
        async with self._server() as server:
            try:
                await server.send_message(email)
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                raise while_sending(error) from error
        return MessageRef(platform=PLATFORM, tenant="", destination=address.external_id, message=message_id)

    async def update(self, ref: MessageRef, message: Message) -> None:  # what was sent stays as it is
        """Raises DeliveryError: an email cannot be replaced."""
        raise DeliveryError(DeliveryErrorKind.MESSAGE_GONE, "email_has_no_edits")

    async def profile(self, tenant: str, user: str) -> Profile:  # a mailbox says nothing of its reader
        """Raises DeliveryError: an address has no profile."""
        raise DeliveryError(DeliveryErrorKind.REJECTED, "email_has_no_profiles")

    def endpoints(self) -> Sequence[Endpoint]:
        """Nothing comes in."""
        return ()

    async def diagnose(self) -> Sequence[Diagnosis]:
        """Connect and sign in, and send nothing. Raises nothing."""
        where = f"{self._settings.host}, port {self._settings.port}"
        try:
            async with self._server():
                return [Diagnosis(subject="Email", check=Check.GOOD, found=f"{where} takes our messages")]
        except DeliveryError as error:
            mend = f"Check {HOST}, {PREFIX}PORT and {PREFIX}SECURITY, and that this machine reaches the server."
            if error.kind is DeliveryErrorKind.INSTALLATION_DEAD:
                mend = f"Check {PREFIX}USERNAME, {PREFIX}PASSWORD and the server's certificate."
            return [Diagnosis(subject="Email", check=Check.BAD, found=f"{where}: {error.code}", mend=mend)]

    @asynccontextmanager
    async def _server(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection, signed in. Raises DeliveryError."""
        settings = self._settings
        server = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password.reveal() or None,
            use_tls=settings.security is Security.TLS,
            start_tls=settings.security is Security.STARTTLS,
            tls_context=self._tls if settings.security is not Security.NONE else None,
            timeout=_CONNECT_WITHIN,
        )
        try:
            await server.connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            server.close()
            raise before_sending(error) from error
        server.timeout = _SEND_WITHIN
        try:
            yield server
            await _leave(server)
        finally:
            server.close()


async def _leave(server: aiosmtplib.SMTP) -> None:
    """Say goodbye; what was sent is sent, whatever the server says to that."""
    try:
        await server.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        return


def _recipient(address: str) -> headerregistry.Address:
    """Raises DeliveryError for what is no address: the reader's next one is taken."""
    try:
        recipient = headerregistry.Address(addr_spec=address)
    except (ValueError, IndexError, MessageError) as error:
        raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "not_an_address") from error
    if not recipient.username or not recipient.domain:
        raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "not_an_address")
    return recipient
