"""Where a reader can be reached, best first. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from commands.model import Channel, Identity, Person, Workspace
from commands.ports.chat import Address, AddressKind, ChatPlatform

Platforms = Mapping[str, ChatPlatform]
"""The chat platforms that run here, by name."""


def addresses(
    person: Person,
    channel: Channel | None,
    *,
    identities: Sequence[Identity],
    workspaces: Iterable[Workspace],
    platforms: Platforms,
) -> list[Address]:
    """Give every way to reach a reader: a channel's own; for a person their proved chat accounts, the latest first and
    without those that are gone, then whoever carries their email address in a workspace of the organization (this gives
    no rights: P-6) unless an account of theirs was unlinked there, and at last where people need no account at all:
    email (N-14).
    """
    if channel is not None:
        own = Address(
            platform=channel.platform, tenant=channel.tenant, kind=AddressKind.CHANNEL, external_id=channel.external_id
        )
        return [own] if channel.platform in platforms else []
    proved = [
        Address(platform=identity.platform, tenant=identity.tenant, kind=AddressKind.DIRECT, external_id=identity.user)
        for identity in identities
        if identity.platform in platforms and identity.gone_at is None
    ]
    if not person.email:
        return proved
    at_last = [
        Address(platform=name, tenant="", kind=AddressKind.DIRECT, external_id=person.email)
        for name, platform in platforms.items()
        if platform.addressed_by_email
    ]
    return proved + _by_email(person, person.email, identities, workspaces, platforms) + at_last


def _by_email(
    person: Person, email: str, identities: Sequence[Identity], workspaces: Iterable[Workspace], platforms: Platforms
) -> list[Address]:
    """Whoever carries this address in a workspace where no account of theirs is known, nor was unlinked."""
    covered = {(identity.platform, identity.tenant) for identity in identities}
    return [
        Address(
            platform=workspace.platform,
            tenant=workspace.external_id,
            kind=AddressKind.BY_EMAIL,
            external_id=email,
        )
        for workspace in workspaces
        if workspace.platform in platforms
        and platforms[workspace.platform].finds_by_email
        and (workspace.platform, workspace.external_id) not in covered | person.unlinked
    ]


def bears_passes(address: Address) -> bool:
    """Whether a bearer link may go there: to a proved account, or by email. An account that merely carries somebody's
    email address proves nothing (P-6).
    """
    return address.kind is AddressKind.DIRECT
