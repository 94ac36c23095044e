"""Looks at everything that a running bot needs, and says how to mend what is wrong. Shows no secret."""

import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.bootstrap import adapters, chat_platform_names, opened_storage
from bot.settings import Settings
from commands.errors import SettingError
from commands.ports.chat import Check, Diagnosis
from commands.ports.storage import StorageError, Unreadable

_REACH_WITHIN = ClientTimeout(total=5)


async def diagnoses(settings: Settings, environment: Mapping[str, str]) -> AsyncIterator[Diagnosis]:
    """Look at database, keys, public address, chat platforms and networks, one after the other."""
    for line in [*await _database(settings), _key_file(settings), await _address(settings)]:
        yield line
    try:
        platforms, networks = adapters(environment)
    except SettingError as error:
        yield Diagnosis(subject=error.name, check=Check.BAD, found=error.reason, mend="Change it in .env, or unset it.")
        return
    for platform in platforms.values():
        async with platform.running(None):
            for line in await platform.diagnose():
                yield line
    if not platforms:
        names = ", ".join(chat_platform_names())
        mend = f"Set the tokens of one of {names}; the README's “Connect” chapters say where to find them."
        yield Diagnosis(subject="Chat", check=Check.BAD, found="no chat platform is configured", mend=mend)
    for network in networks.values():
        async with network.running():
            for line in await network.diagnose():
                yield line
    if not networks:
        mend = "Set LAPSEBOT_<NETWORK>_CLIENT_ID and _CLIENT_SECRET of at least one network."
        yield Diagnosis(subject="Networks", check=Check.BAD, found="no network has credentials", mend=mend)


async def _database(settings: Settings) -> Sequence[Diagnosis]:
    try:
        async with opened_storage(settings) as (storage, _):
            organizations = await storage.directory.organizations()
    except Unreadable as error:
        mend = "Put the key back that the database was made with: the key file, or LAPSEBOT_ENCRYPTION_KEYS."
        return [Diagnosis(subject="Keys", check=Check.BAD, found=str(error), mend=mend)]
    except (StorageError, OSError) as error:
        mend = "Check LAPSEBOT_DATABASE_URL, then run `lapsebot db upgrade`."
        return [Diagnosis(subject="Database", check=Check.BAD, found=str(error), mend=mend)]
    except ValueError as error:
        return [Diagnosis(subject="Keys", check=Check.BAD, found=str(error), mend="See docs/operating.md, “Keys”.")]
    lines = [
        Diagnosis(subject="Database", check=Check.GOOD, found="open, and its schema is this version's"),
        Diagnosis(subject="Keys", check=Check.GOOD, found="they read what the database holds"),
    ]
    if organizations:
        return [*lines, Diagnosis(subject="Organizations", check=Check.GOOD, found=f"{len(organizations)} there")]
    mend = "Run `lapsebot org create NAME`; it prints a code for `/lapse-admin claim`."
    return [*lines, Diagnosis(subject="Organizations", check=Check.WARNING, found="none yet", mend=mend)]


def _key_file(settings: Settings) -> Diagnosis:
    if settings.encryption_keys:
        return Diagnosis(subject="Key storage", check=Check.GOOD, found="keys come from the settings")
    mode = stat.S_IMODE(settings.key_file.stat().st_mode) if settings.key_file.exists() else 0
    if mode & 0o077:
        mend = f"Run `chmod 600` on {settings.key_file.name}, and change the keys if others use this machine."
        return Diagnosis(subject="Key storage", check=Check.BAD, found="others can read the key file", mend=mend)
    return Diagnosis(subject="Key storage", check=Check.GOOD, found="only its owner can read the key file")


async def _address(settings: Settings) -> Diagnosis:
    """Ask our own public address, as a browser would."""
    subject, url = "Public address", settings.public_url
    if urlsplit(url).scheme == "http":
        mend = "Fine for a try on this machine. For others, set LAPSEBOT_PUBLIC_URL to an https:// address."
        return Diagnosis(subject=subject, check=Check.WARNING, found=f"{url} is of this machine only", mend=mend)
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
