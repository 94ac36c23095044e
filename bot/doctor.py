"""Looks at everything that a running bot needs, and says how to mend what is wrong. Shows no secret."""

import stat
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.bootstrap import (
    adapters,
    chat_platform_names,
    ears,
    keyring_of,
    opened_storage,
    surroundings_of,
    upgrade_database,
)
from bot.settings import PREFIX, Settings
from bot.webhooks.diagnosis import endpoints
from commands.errors import SettingError
from commands.model import Organization, Workspace
from commands.ports.chat import ChatPlatform, Check, Diagnosis
from commands.ports.network import Networks
from commands.ports.signals import Signals
from commands.ports.storage import Storage, StorageError, Unreadable

_UNHEARD_SINCE = timedelta(days=7)
_REACH_WITHIN = ClientTimeout(total=5)
_SQLITE = "sqlite+aiosqlite:///"
_MAKE = "Run `lapsebot db upgrade`; `lapsebot serve` does it as well when it starts."


async def diagnoses(settings: Settings, environment: Mapping[str, str]) -> AsyncGenerator[Diagnosis, None]:
    """Look at database, keys, public address, chat platforms and networks, one after the other. Makes no database.

    Where there is none to open, all that does not hang on it is looked at over an empty one.
    """
    keys = _key_storage(settings)
    for line in [keys, await _address(settings)]:
        yield line
    problem = await _problem(settings, keys)
    store = _nothing_stored(settings) if problem is not None else nullcontext(settings)
    async with store as used, opened_storage(used) as (storage, clock):
        organizations = await storage.directory.organizations()
        for line in [problem] if problem is not None else _open(organizations):
            yield line
        noted, wrong = Noted(environment), Complaints()
        platforms, networks = adapters(noted, surroundings_of(used, storage, clock), wrong=wrong)
        signals = ears(noted, clock, wrong=wrong)
        for line in wrong.lines or unread_settings(noted):
            yield line
        async for line in _platforms(platforms):
            yield line
        for organization in organizations:
            for line in [
                *await installations(storage, platforms, organization),
                await unheard(storage, organization, clock.now()),
                *await endpoints(storage, organization),
            ]:
                yield line
        async for line in _networks(networks, signals, settings.public_url):
            yield line
        if problem is not None:
            yield _skipped("Organizations, workspaces and messages", "Mend the keys or the database first.")


@asynccontextmanager
async def _nothing_stored(settings: Settings) -> AsyncIterator[Settings]:
    """The same settings over a database and a key of their own, which are gone afterwards."""
    with TemporaryDirectory() as directory:
        own = {"data_dir": Path(directory), "database_url": "", "encryption_keys": ""}
        empty = settings.model_copy(update=own)
        await upgrade_database(empty)
        yield empty


async def _problem(settings: Settings, keys: Diagnosis) -> Diagnosis | None:
    """Why the database cannot be opened; None: it can."""
    if not _is_made(settings):
        return Diagnosis(subject="Database", check=Check.BAD, found="there is none yet", mend=_MAKE)
    if keys.check is Check.BAD:
        return _skipped("Database", "Mend the keys first.")
    try:
        async with opened_storage(settings):
            return None
    except (StorageError, OSError, ValueError) as error:
        return _not_open(error)


def _is_made(settings: Settings) -> bool:
    """Whether the embedded database is there: opening would make an empty one."""
    if not settings.storage_url.startswith(_SQLITE):
        return True
    file = Path(settings.storage_url.removeprefix(_SQLITE))
    return file.exists() and file.stat().st_size > 0


async def _platforms(platforms: Mapping[str, ChatPlatform]) -> AsyncIterator[Diagnosis]:
    for platform in platforms.values():
        async with platform.running(None):
            for line in await platform.diagnose():
                yield line
    if not platforms:
        names = ", ".join(chat_platform_names())
        mend = f"Set the tokens of one of {names}; the README's “Connect” chapters say where to find them."
        yield Diagnosis(subject="Chat", check=Check.BAD, found="no chat platform is configured", mend=mend)


async def _networks(networks: Networks, signals: Mapping[str, Signals], public_url: str) -> AsyncIterator[Diagnosis]:
    for network in networks.values():
        async with network.running():
            for line in await network.diagnose():
                yield line
    for line in addresses_to_enter(signals, networks, public_url):
        yield line
    if not networks:
        mend = "Set LAPSEBOT_<NETWORK>_CLIENT_ID and _CLIENT_SECRET of at least one network."
        yield Diagnosis(subject="Networks", check=Check.BAD, found="no network has credentials", mend=mend)


def addresses_to_enter(signals: Mapping[str, Signals], networks: Networks, public_url: str) -> Sequence[Diagnosis]:
    """Say where networks that can tell us on their own are given the address to tell it at. Whether they were cannot be
    asked: nothing hangs on it but how soon a removal is noticed.
    """
    return [
        Diagnosis(
            subject=f"{networks[slug].spec.name}, removed access",
            check=Check.GOOD if public_url.startswith("https://") else Check.WARNING,
            found=f"is noticed at once where {public_url}/signals/{slug} is entered at the network",
            mend=f"Enter it there as {ear.enter_at}. Without it a removal is found at the next check.",
        )
        for slug, ear in signals.items()
        if slug in networks
    ]


class Complaints:
    """Notes each setting that is wrong, so that one of them does not hide the others."""

    def __init__(self) -> None:
        self._found: dict[str, Diagnosis] = {}

    def __call__(self, error: SettingError) -> None:
        mend = "Put it right in .env or in the environment, or unset everything that belongs with it."
        self._found[error.name] = Diagnosis(subject=error.name, check=Check.BAD, found=error.reason, mend=mend)

    @property
    def lines(self) -> Sequence[Diagnosis]:
        """One for each setting."""
        return list(self._found.values())


class Noted(Mapping[str, str]):
    """An environment that notes which names were looked up in it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self._environment[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)


def unread_settings(noted: Noted) -> Sequence[Diagnosis]:
    """Name the LAPSEBOT_ settings that nothing read: misspelt, or of something that is not set up."""
    own = {PREFIX + field.upper() for field in Settings.model_fields}
    known = own | {name for name in noted.read if name.startswith(PREFIX)}
    lines = []
    for name in sorted(
        name for name, value in noted.items() if name.startswith(PREFIX) and value and name not in known
    ):
        near = get_close_matches(name, known - {one for one in known if noted.get(one)}, n=1, cutoff=0.8)
        mend = f"Did you mean {near[0]}?" if near else "Unset it, or set what belongs with it."
        lines.append(Diagnosis(subject=name, check=Check.WARNING, found="nothing reads this setting", mend=mend))
    return lines


async def installations(
    storage: Storage, platforms: Mapping[str, ChatPlatform], organization: Organization
) -> Sequence[Diagnosis]:
    """Look at whether the bot is still let into an organization's workspaces, where each lets it in by itself (A-8)."""
    async with storage.reading() as work:
        workspaces = await work.organizations.workspaces(organization.id)
    lines = []
    for workspace in workspaces:
        platform = platforms.get(workspace.platform)
        if platform is None:
            found = f"{workspace.platform} is not configured in this process's settings"
            mend = "Nothing can be sent there. Set its tokens, or leave it as it is if another process has them."
            lines.append(_about(workspace, organization, Check.WARNING, found, mend))
        elif platform.install is not None:
            line = await _installation(storage, workspace, organization)
            lines += [line] if line is not None else []
    return lines


async def unheard(storage: Storage, organization: Organization, now: datetime) -> Diagnosis:
    """Count the messages of the last days that reached nobody: of some, nobody is left whom it could be told (N-19)."""
    async with storage.reading() as work:
        reasons = await work.notices.undelivered(organization.id, since=now - _UNHEARD_SINCE)
    subject, span = f"Messages of {organization.name}", f"in the last {_UNHEARD_SINCE.days} days"
    if not reasons:
        return Diagnosis(subject=subject, check=Check.GOOD, found=f"every one {span} reached somebody")
    most = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    found = f"not every one {span} reached somebody: " + ", ".join(f"{number:,} × {why}" for why, number in most)
    mend = "Link an administrator's chat account, give them an email address, or let the bot in where they are."
    return Diagnosis(subject=subject, check=Check.WARNING, found=found, mend=mend)


async def _installation(storage: Storage, workspace: Workspace, organization: Organization) -> Diagnosis | None:
    """None: it lets the bot in otherwise, by a token of the settings or for a whole enterprise."""
    try:
        found = await storage.installations.find(workspace.platform, workspace.external_id)
    except Unreadable as error:
        mend = "Put the key back that it was stored with, or install the bot there anew."
        return _about(workspace, organization, Check.BAD, str(error), mend)
    if found is None:
        return None
    if found.lost_at is None:
        return _about(workspace, organization, Check.GOOD, f"let in since {found.installed_at:%Y-%m-%d}", "")
    lost = f"lost since {found.lost_at:%Y-%m-%d %H:%M} UTC ({found.lost_reason or 'no reason given'})"
    mend = f"Have it installed there anew; `lapsebot install {workspace.platform}` says how."
    return _about(workspace, organization, Check.BAD, lost, mend)


def _about(workspace: Workspace, organization: Organization, check: Check, found: str, mend: str) -> Diagnosis:
    return Diagnosis(subject=f"Workspace {workspace.name} of {organization.name}", check=check, found=found, mend=mend)


def _not_open(error: Exception) -> Diagnosis:
    match error:
        case Unreadable():
            mend = "Put the key back that the database was made with: the key file, or LAPSEBOT_ENCRYPTION_KEYS."
            return Diagnosis(subject="Keys", check=Check.BAD, found=str(error), mend=mend)
        case ValueError():
            return Diagnosis(subject="Keys", check=Check.BAD, found=str(error), mend="See docs/operating.md, “Keys”.")
        case _:
            mend = (
                "Check LAPSEBOT_DATABASE_URL, and that this machine reaches the database; one that is empty or older "
            )
            mend += "is brought up to date by `lapsebot db upgrade`."
            return Diagnosis(subject="Database", check=Check.BAD, found=str(error), mend=mend)


def _open(organizations: Sequence[Organization]) -> Sequence[Diagnosis]:
    lines = [
        Diagnosis(subject="Database", check=Check.GOOD, found="open, and its schema is this version's"),
        Diagnosis(subject="Keys", check=Check.GOOD, found="they read what the database holds"),
    ]
    if organizations:
        return [*lines, Diagnosis(subject="Organizations", check=Check.GOOD, found=f"{len(organizations)} there")]
    mend = "Run `lapsebot org create NAME`; it prints a code for `/lapse-admin claim`."
    return [*lines, Diagnosis(subject="Organizations", check=Check.WARNING, found="none yet", mend=mend)]


def _skipped(subject: str, mend: str) -> Diagnosis:
    return Diagnosis(subject=subject, check=Check.WARNING, found="not looked at", mend=mend)


def _key_storage(settings: Settings) -> Diagnosis:
    mode = stat.S_IMODE(settings.key_file.stat().st_mode) if settings.key_file.exists() else 0
    if mode & 0o077 and not settings.encryption_keys:
        mend = f"Run `chmod 600` on {settings.key_file.name}, and change the keys if others use this machine."
        return Diagnosis(subject="Key storage", check=Check.BAD, found="others can read the key file", mend=mend)
    if not settings.encryption_keys and not settings.key_file.exists():
        found = "keys will be kept in a file that only its owner can read"
        return Diagnosis(subject="Key storage", check=Check.GOOD, found=found)
    try:
        keyring_of(settings)
    except StorageError as error:
        place = f"{PREFIX}ENCRYPTION_KEYS" if settings.encryption_keys else str(settings.key_file)
        mend = f"Put {place} right; docs/operating.md, “Keys”, says how they are written."
        return Diagnosis(subject="Key storage", check=Check.BAD, found=str(error), mend=mend)
    if settings.encryption_keys:
        return Diagnosis(subject="Key storage", check=Check.GOOD, found="keys come from the settings")
    return Diagnosis(subject="Key storage", check=Check.GOOD, found="only its owner can read the key file")


async def _address(settings: Settings) -> Diagnosis:
    """Ask our own public address, as a browser would."""
    subject, url = "Public address", settings.public_url
    if urlsplit(url).scheme == "http":
        mend = "Fine for a trial on this machine. For others, set LAPSEBOT_PUBLIC_URL to an https:// address."
        return Diagnosis(subject=subject, check=Check.WARNING, found=f"{url} is for this machine only", mend=mend)
    try:
        async with ClientSession(timeout=_REACH_WITHIN) as session, session.get(f"{url}/healthz") as answer:
            reached = answer.status
    except (ClientError, TimeoutError, OSError) as error:
        mend = "Start `lapsebot serve`, and check the DNS name, the certificate and the proxy in front of it."
        found = f"{url} does not answer ({type(error).__name__})"
        return Diagnosis(subject=subject, check=Check.BAD, found=found, mend=mend)
    if reached != 200:
        mend = "Let the proxy pass everything on to the bot, this path included."
        return Diagnosis(subject=subject, check=Check.BAD, found=f"{url}/healthz answers {reached}", mend=mend)
    return Diagnosis(subject=subject, check=Check.GOOD, found=f"{url} answers")
