"""What `doctor` says of the addresses that the host product hears at."""

from collections.abc import Sequence

from commands.ids import to_wire
from commands.model import Organization
from commands.ports.chat import Check, Diagnosis
from commands.ports.hosting import MessageState
from commands.ports.storage import Storage


async def endpoints(storage: Storage, organization: Organization) -> Sequence[Diagnosis]:
    """A line for each endpoint that is disabled or failing, or one that all is well; none where there are none."""
    async with storage.reading() as uow:
        known = await uow.webhooks.endpoints(organization.id)
        dead = await uow.webhooks.messages(organization.id, state=MessageState.DEAD, limit=1)
    lines = []
    for endpoint in known:
        subject = f"Webhook endpoint {to_wire(endpoint.id)} of {organization.name}"
        if endpoint.disabled_at is not None:
            mend = f'Mend it, then `lapsebot webhooks enable {to_wire(endpoint.id)} --org "{organization.name}"`.'
            found = f"disabled on {endpoint.disabled_at:%Y-%m-%d}: {endpoint.disabled_why}"
            lines.append(Diagnosis(subject=subject, check=Check.BAD, found=found, mend=mend))
        elif endpoint.failing_since is not None:
            found = f"has taken no message since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC"
            mend = "Look at the receiver; messages are sent again by themselves."
            lines.append(Diagnosis(subject=subject, check=Check.WARNING, found=found, mend=mend))
    if dead:
        lines.append(
            Diagnosis(
                subject=f"Webhooks of {organization.name}",
                check=Check.WARNING,
                found="some messages were given up",
                mend="`lapsebot webhooks dead` lists them, `lapsebot webhooks replay` sends them again.",
            )
        )
    if known and not lines:
        subject = f"Webhooks of {organization.name}"
        lines.append(Diagnosis(subject=subject, check=Check.GOOD, found="every endpoint takes its messages"))
    return lines
