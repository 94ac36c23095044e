"""Composes the messages of deliveries that are about to be sent, from facts read at that moment.

A delivery may be suppressed instead: `drafts` asks again what its reader may see, and whether they still want to hear.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.notices.addresses import Platforms
from bot.notices.drafts import Drafts
from bot.notices.facts import read_facts
from bot.notices.letter import Letter
from bot.notices.personal import Personal
from bot.notices.wording import write
from commands.ids import DeliveryId, OrganizationId
from commands.messages import Message
from commands.ports.clock import Clock
from commands.ports.network import Networks
from commands.ports.notices import Delivery
from commands.ports.storage import UnitOfWork


@dataclass(frozen=True, slots=True)
class Suppress:
    """Nothing is to be sent, and why."""

    reason: str


Composed = Message | Suppress


class Composer:
    """Writes messages for deliveries, in a number of statements that does not grow with the batch, except for what
    `facts` names, and for passes, each of which is written alone (`personal`).
    """

    def __init__(self, *, networks: Networks, clock: Clock, public_url: str, platforms: Platforms) -> None:
        """`public_url`: the address of our pages, without a slash at the end. `platforms`: those of the deliveries."""
        self._networks = networks
        self._clock = clock
        self._public_url = public_url
        self._platforms = platforms

    async def compose(self, uow: UnitOfWork, deliveries: Sequence[Delivery]) -> dict[DeliveryId, Composed]:
        """Give each delivery's message, or why nothing is to be sent. Writes links that are not there yet, and passes
        for those who need one.
        """
        by_organization: dict[OrganizationId, list[Delivery]] = {}
        for delivery in deliveries:
            by_organization.setdefault(delivery.organization_id, []).append(delivery)
        composed: dict[DeliveryId, Composed] = {}
        for organization_id, own in by_organization.items():
            composed |= await self._compose(uow, organization_id, own)
        return composed

    async def _compose(
        self, uow: UnitOfWork, organization_id: OrganizationId, deliveries: Sequence[Delivery]
    ) -> dict[DeliveryId, Composed]:
        now = self._clock.now()
        facts = await read_facts(uow, organization_id, deliveries)
        drafts = Drafts(facts=facts, networks=self._networks, platforms=self._platforms, now=now)
        drafted = {delivery.id: drafts.draft(delivery) for delivery in deliveries}
        personal = Personal(
            uow=uow,
            organization_id=organization_id,
            platforms=self._platforms,
            public_url=self._public_url,
            now=now,
        )
        letters = {key: draft for key, draft in drafted.items() if isinstance(draft, Letter)}
        letters = await personal.addressed(deliveries, letters)
        composed: dict[DeliveryId, Composed] = {}
        for delivery in deliveries:
            draft = drafted[delivery.id]
            if not isinstance(draft, Letter):
                composed[delivery.id] = Suppress(draft.value)
                continue
            letter = letters[delivery.id]
            unsubscribe_url = await personal.unsubscribing(delivery, letter, facts)
            composed[delivery.id] = replace(write(letter), unsubscribe_url=unsubscribe_url)
        return composed
