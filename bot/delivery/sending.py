"""Hands composed messages to the platforms, and turns whatever comes back into an outcome."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from uuid import uuid5

import structlog

from bot.delivery.outcomes import Outcome, failed, posted, suppressed
from bot.notices.addresses import Platforms
from bot.notices.composer import Composed, Composer, Suppress
from bot.notices.installations import record_dead
from bot.notices.outbox import Outbox
from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ids import DeliveryId
from commands.messages import Message, Tone
from commands.ports.chat import ChatPlatform, MessageRef
from commands.ports.clock import Clock
from commands.ports.notices import Delivery
from commands.ports.storage import Storage

log = structlog.get_logger(__name__)

LONGEST_SEND = 20.0
"""Seconds after which a send is given up as unknown: twice the time-out that adapters have of their own."""


class Sender:
    """Composes and sends deliveries; holds no transaction while a platform is called."""

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        platforms: Platforms,
        composer: Composer,
        outbox: Outbox,
        chance: random.Random | None = None,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self.platforms = platforms
        self._composer = composer
        self._outbox = outbox
        self._chance = chance or random.Random()  # noqa: S311  # jitter guards nothing

    async def compose(self, deliveries: Sequence[Delivery]) -> Mapping[DeliveryId, Composed | DeliveryError]:
        """Compose a batch in one transaction. If that fails, each alone: one that cannot be written spoils no other."""
        try:
            async with self._storage.transaction() as uow:
                return dict(await self._composer.compose(uow, deliveries))
        except Exception:
            if len(deliveries) == 1:
                log.exception("message not composed", delivery=str(deliveries[0].id))
                return {deliveries[0].id: DeliveryError(DeliveryErrorKind.RETRY, "could not be composed")}
        alone: dict[DeliveryId, Composed | DeliveryError] = {}
        for delivery in deliveries:
            alone |= await self.compose([delivery])
        return alone

    async def send(self, delivery: Delivery, composed: Composed | DeliveryError) -> Outcome:
        """Post or edit. Raises nothing."""
        if isinstance(composed, Suppress):
            return suppressed(delivery, composed.reason, now=self._clock.now())
        if isinstance(composed, DeliveryError):
            return self.failure(delivery, composed)
        platform = self.platforms[delivery.address.platform]
        try:
            async with asyncio.timeout(LONGEST_SEND):
                ref = await _deliver(platform, delivery, composed)
        except DeliveryError as error:
            return self.failure(delivery, error)
        except TimeoutError:
            return self.failure(delivery, DeliveryError(DeliveryErrorKind.UNKNOWN, "no answer in time"))
        except Exception:
            log.exception("adapter failed", delivery=str(delivery.id), platform=platform.name)
            return self.failure(delivery, DeliveryError(DeliveryErrorKind.UNKNOWN, "adapter failed"))
        # Where nothing can be edited, a good end is told once; whatever is drawn anew later is not told again.
        is_over = not platform.edits and composed.tone is Tone.GOOD
        return posted(delivery, None if is_over else ref, deduplicates=platform.deduplicates, now=self._clock.now())

    def failure(self, delivery: Delivery, error: DeliveryError) -> Outcome:
        """Decide what follows from an error, and say so in the log."""
        outcome = failed(delivery, error, now=self._clock.now(), chance=self._chance)
        say = log.error if error.kind is DeliveryErrorKind.REJECTED else log.info
        say(
            "send did not succeed",
            delivery=str(delivery.id),
            platform=delivery.address.platform,
            kind=error.kind.value,
            code=error.code,
            state=outcome.sent.state.value,
        )
        return outcome

    async def note_dead(self, refused: Delivery) -> None:
        """Have administrators told, another way, that a workspace took the bot's access away (A-8)."""
        address = refused.address
        async with self._storage.transaction() as uow:
            await record_dead(
                uow,
                refused.organization_id,
                platform=address.platform,
                tenant=address.tenant,
                now=self._clock.now(),
            )

    async def pass_on(self, lost: Sequence[tuple[Delivery, Outcome]]) -> None:
        """Plan the next address of readers whose first post failed for good. Done before the failure is written down: a
        crash between the two repeats this, and repeating changes nothing.
        """
        if lost:
            async with self._storage.transaction() as uow:
                for delivery, outcome in lost:
                    await self._outbox.pass_on(uow, delivery, outcome.sent.reason)


async def _deliver(platform: ChatPlatform, delivery: Delivery, message: Message) -> MessageRef:
    """Post or edit. Where messages cannot be replaced a good end is told in one of its own, and nothing else."""
    if delivery.ref is None:
        return await platform.post(delivery.address, message, delivery.id, under=delivery.under)
    if platform.edits:
        await platform.update(delivery.ref, message)
    elif message.tone is Tone.GOOD:
        await platform.post(delivery.address, message, DeliveryId(uuid5(delivery.id, "end")), under=delivery.ref)
    return delivery.ref
