"""Sends what is due to the host product's addresses.

Any number of processes may run one: messages are taken by leases. What is killed between a send and its record is sent
again under the same id, by which the receiver knows it.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from bot.webhooks.guard import AddressRefused, checked_url, socket_factory
from bot.webhooks.names import OwnThreads, own_threads
from bot.webhooks.outcomes import Answer, judged
from commands.ids import EndpointId, to_wire
from commands.ports.clock import Clock
from commands.ports.hosting import DueMessage
from commands.ports.storage import Storage
from commands.standard_webhooks import sign

log = structlog.get_logger(__name__)

SEND_WITHIN = 15.0
"""Seconds for a receiver's answer; the specification says 15 to 30."""
LEASE = timedelta(seconds=60)
"""How long a message is taken for: four times what a send may take."""
AT_ONCE = 128
"""Messages under way in one process."""
EACH_AT_ONCE = 4
"""Of those to one endpoint, which is not flooded; to one that is failing, 1."""
LOOK_AGAIN = 0.5
"""Seconds between looks for what became due while others are under way."""
USER_AGENT = "lapsebot-webhooks/1"


class WebhookLoop:
    """Sends webhook messages."""

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        private: bool = False,
        send_within: float = SEND_WITHIN,
        chance: random.Random | None = None,
    ) -> None:
        """`private`: addresses of this machine and of private networks are allowed, for development."""
        self._storage = storage
        self._clock = clock
        self._private = private
        self._timeout = ClientTimeout(total=send_within)
        self._chance = chance or random.Random()  # noqa: S311  # jitter guards nothing
        self._is_stopping = False
        self._progressed_at = time.monotonic()

    async def run_once(self) -> int:
        """Send what is due and what becomes due meanwhile; give how many messages were tried. 0: nothing to do for now.

        A receiver that hangs keeps only its own messages waiting.
        """
        taken = await self._take([])
        if not taken:
            return 0
        tried, under_way = 0, dict[asyncio.Task[None], EndpointId]()
        async with (
            own_threads(AT_ONCE) as names,
            self._client(names) as session,
            asyncio.TaskGroup() as group,
        ):
            while taken or under_way:
                tried += len(taken)
                under_way |= {group.create_task(self._guarded(session, due)): due.endpoint.id for due in taken}
                done, _ = await asyncio.wait(under_way, timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    self._progressed_at = time.monotonic()
                under_way = {task: endpoint for task, endpoint in under_way.items() if task not in done}
                taken = await self._take(list(under_way.values()))
        return tried

    def _client(self, names: OwnThreads) -> ClientSession:
        connector = TCPConnector(
            resolver=names,
            use_dns_cache=False,
            force_close=True,
            limit=0,
            socket_factory=socket_factory(private=self._private),
        )
        return ClientSession(connector=connector, timeout=self._timeout, trust_env=False)

    async def stop(self) -> None:
        """Take nothing more; what is under way ends within its time."""
        self._is_stopping = True

    def progressed_at(self) -> float:
        """When a try last came to an end, on the monotonic clock."""
        return self._progressed_at

    async def _take(self, busy: Sequence[EndpointId]) -> Sequence[DueMessage]:
        """Messages of endpoints that none is under way to, as many as there is room for."""
        room = (AT_ONCE - len(busy)) // EACH_AT_ONCE
        if self._is_stopping or room < 1:
            return []
        return await self._storage.host.claim_messages(
            now=self._clock.now(), endpoints=room, each=EACH_AT_ONCE, lease=LEASE, busy=list(dict.fromkeys(busy))
        )

    async def _guarded(self, session: ClientSession, due: DueMessage) -> None:
        try:
            await self._deliver(session, due)
        except Exception:
            # One of the edges: a try that breaks, or whose outcome cannot be written, must not cut the others off. It
            # is due again when its lease is over, and the receiver knows it by its id.
            log.exception("webhook try failed", message=to_wire(due.message.id))

    async def _deliver(self, session: ClientSession, due: DueMessage) -> None:
        answer = await self._send(session, due)
        outcome = judged(due, answer, now=self._clock.now(), chance=self._chance)
        kept = await self._storage.host.record_outcome(due, outcome)
        endpoint = to_wire(due.endpoint.id)
        if not kept:
            log.info("webhook lease lost", endpoint=endpoint)
        elif outcome.disable:
            log.error("webhook endpoint disabled", endpoint=endpoint, why=outcome.disable)
        elif outcome.error:
            log.warning("webhook not taken", endpoint=endpoint, attempt=due.message.attempts, why=outcome.error)

    async def _send(self, session: ClientSession, due: DueMessage) -> Answer:
        """Post a message once. The answer's body is not read; redirects are not followed."""
        try:
            url = checked_url(due.endpoint.url, private=self._private)
        except ValueError:
            return Answer(status=None, error="its address is not allowed any more")
        body = due.message.body.encode()
        headers = sign(due.secrets, id=f"msg_{to_wire(due.message.id)}", at=self._clock.now(), body=body)
        try:
            async with session.post(
                url,
                data=body,
                headers={**headers, "Content-Type": "application/json", "User-Agent": USER_AGENT},
                allow_redirects=False,
            ) as response:
                return Answer(status=response.status, retry_after=response.headers.get("Retry-After", ""))
        except TimeoutError:
            return Answer(status=None, error=f"no answer within {self._timeout.total:g} seconds")
        except (ClientError, OSError, ValueError) as error:
            return Answer(status=None, error=_reason(error, urlsplit(url).hostname or ""))


def _reason(error: BaseException, host: str) -> str:
    """Why a receiver could not be reached; the address itself, which may hold a secret, is left out."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return f"{host} leads into a private network"
        cause = cause.__cause__ or cause.__context__
    return f"{host} could not be reached ({type(error).__name__})"
