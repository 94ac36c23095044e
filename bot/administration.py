"""What an operator does from the command line: organizations, claim codes, imports."""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.bootstrap import network_specs, opened_storage, upgrade_database
from bot.importing import Importer, ImportReport
from bot.importing_people import PeopleImporter, PeopleReport
from bot.settings import Settings
from commands.auditing import Actor
from commands.handlers.workspaces import claim_code_hash
from commands.ids import OrganizationId, new_id
from commands.model import Organization
from commands.ports.clock import Clock
from commands.ports.storage import Storage

CODE_LIFE = timedelta(minutes=15)


class OperatorError(Exception):
    """A command that cannot be done. The message says why, and what to do."""


async def create_organization(settings: Settings, name: str, time_zone: str, support: str | None) -> str:
    """Make an organization; give the code that claims its first workspace."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise OperatorError(f"“{time_zone}” is not a time zone; write it like Europe/Berlin") from error
    async with _storage(settings) as (storage, clock):
        if any(known.name.casefold() == name.casefold() for known in await storage.directory.organizations()):
            raise OperatorError(f"There is an organization “{name}” already; `lapsebot org code` prints a code for it")
        organization = Organization(
            id=OrganizationId(new_id(clock.now())), name=name, time_zone=time_zone, support_contact=support
        )
        async with storage.transaction() as work:
            await work.organizations.add(organization)
        return await _issue_code(storage, clock, organization)


async def new_claim_code(settings: Settings, name: str) -> str:
    """Give a new code for an organization that there is."""
    async with _storage(settings) as (storage, clock):
        return await _issue_code(storage, clock, await _organization(storage, name))


async def organization_names(settings: Settings) -> Sequence[str]:
    """All organizations, by name."""
    async with _storage(settings) as (storage, _):
        return [organization.name for organization in await storage.directory.organizations()]


async def import_file(
    settings: Settings,
    environment: Mapping[str, str],
    file: Path,
    organization: str,
    progress: Callable[[int, int], None],
) -> ImportReport:
    """Import a CSV file into an organization. Raises UnreadableFile, OperatorError or SettingError, having written
    nothing.
    """
    specs = network_specs(environment)
    async with opened_organization(settings, organization) as (storage, clock, found):
        importer = Importer(
            storage=storage,
            clock=clock,
            by=Actor(organization_id=found.id, origin="cli"),
            specs=specs,
            private=settings.webhook_private,
        )
        return await importer.take(file, progress)


async def import_people(settings: Settings, file: Path, organization: str) -> PeopleReport:
    """Import a CSV file of people into an organization. Raises UnreadableFile or OperatorError, having written
    nothing.
    """
    async with opened_organization(settings, organization) as (storage, clock, found):
        by = Actor(organization_id=found.id, origin="cli")
        return await PeopleImporter(storage=storage, clock=clock, by=by).take(file)


@asynccontextmanager
async def opened_organization(settings: Settings, name: str) -> AsyncIterator[tuple[Storage, Clock, Organization]]:
    """Open the store for work on one organization. Raises OperatorError if there is none of this name."""
    async with _storage(settings) as (storage, clock):
        yield storage, clock, await _organization(storage, name)


@asynccontextmanager
async def _storage(settings: Settings) -> AsyncIterator[tuple[Storage, Clock]]:
    """Open the store; an embedded one is brought up to date first, so that these commands are all that a beginner
    needs.
    """
    if not settings.database_url:
        await upgrade_database(settings)
    async with opened_storage(settings) as opened:
        yield opened


async def _organization(storage: Storage, name: str) -> Organization:
    known = await storage.directory.organizations()
    for organization in known:
        if organization.name.casefold() == name.casefold():
            return organization
    names = ", ".join(organization.name for organization in known) or "none; make one with `lapsebot org create NAME`"
    raise OperatorError(f"There is no organization “{name}”. There are: {names}")


async def _issue_code(storage: Storage, clock: Clock, organization: Organization) -> str:
    code = secrets.token_urlsafe(12)
    await storage.directory.issue_claim_code(
        organization.id, code_hash=claim_code_hash(code), expires_at=clock.now() + CODE_LIFE
    )
    return code
