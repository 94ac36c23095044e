"""How notices are grouped, when reminders and warnings come: an organization's own rules, for one network or for all
(N-4, N-6, D-2).
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import network_name
from commands.handlers.asked import Asked
from commands.handlers.naming import network_meant
from commands.messages import Bold, Mark, Message, Tone, text
from commands.parsing import Token
from commands.ports.network import Grouping
from commands.ports.storage import UnitOfWork
from commands.rules import WARNING_DAYS, Cadence, RuleSet
from commands.wording import listed, number_of

GROUPING_WORDS = (*Grouping, "default")
_OFF = frozenset({"off", "never", "none"})
_DEFAULT = "default"
MOST_DAYS = 20  # steps of a series
LAST_DAY = 365
_GAP = 5  # days between the last reminder and a new round, where nothing else is said (N-6)


def network_then_days(tokens: list[Token]) -> Mapping[str, str]:
    """`[NETWORK] DAYS [restart DAY]`: the days begin at the first number, or with a word in their place."""
    at = next((n for n, token in enumerate(tokens) if _begins_days(token.text)), len(tokens))
    words = [token.text for token in tokens[at:]]
    restart = next((n for n, word in enumerate(words) if word.casefold() == "restart"), len(words))
    found = {
        "network": " ".join(token.text for token in tokens[:at]),
        "days": " ".join(words[:restart]),
        "restart": " ".join(words[restart + 1 :]),
    }
    return {option: value for option, value in found.items() if value}


async def grouping(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin grouping NETWORK each|summary`."""
    words = asked.need("network", "Which network, or all? Then say each or summary.")
    wanted = asked.need("grouping", "How: each lapse by itself (each), or all in one message (summary)?").casefold()
    network = _network(services, asked, words)
    if wanted not in GROUPING_WORDS:
        raise asked.unknown(wanted, list(GROUPING_WORDS), "")
    chosen = None if wanted == _DEFAULT else Grouping(wanted)
    async with services.storage.transaction() as uow:
        changed = replace(await _rules(uow, asker, network), grouping=chosen)
        await _write(uow, services, asker, changed, grouping=wanted)
    does = {
        Grouping.EACH: "every lapse is told by itself, up to three of one login",
        Grouping.SUMMARY: "all lapses of one login are told in one message",
        None: "lapses are told as the network is usually told",
    }
    return _changed(services, network, f"{does[chosen]}.")


async def reminders(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin reminders [NETWORK] DAYS [restart DAY]`, `off` or `default`."""
    words = asked.need("days", "On which days after the first notice? Such as 2,7,12 restart 20; off; or default.")
    network = _network(services, asked, asked.get("network"))
    cadence = _cadence(asked, words, asked.get("restart"))
    async with services.storage.transaction() as uow:
        changed = replace(await _rules(uow, asker, network), cadence=cadence)
        await _write(uow, services, asker, changed, reminders=words, restart=asked.get("restart") or "")
    return _changed(services, network, cadence_words(cadence if cadence is not None else Cadence()))


async def warnings(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin warnings [NETWORK] DAYS`, `off` or `default`: how long before a known end people are warned."""
    words = asked.need("days", "How many days before the end? Such as 14,7,3,1; off; or default.")
    network = _network(services, asked, asked.get("network"))
    days: tuple[int, ...] | None
    if words.casefold() == _DEFAULT:
        days = None
    elif words.casefold() in _OFF:
        days = ()
    else:
        days = tuple(sorted(_days(asked, words), reverse=True))
    async with services.storage.transaction() as uow:
        changed = replace(await _rules(uow, asker, network), warning_days=days)
        await _write(uow, services, asker, changed, warnings=words)
        await uow.authorizations.reconsider_warnings(asker.organization_id, network)
    return _changed(services, network, warning_words(WARNING_DAYS if days is None else days))


def cadence_words(cadence: Cadence) -> str:
    """When reminders come, in a sentence."""
    if not cadence.days:
        return "no reminders come after the first notice."
    days = listed([str(day) for day in cadence.days])
    which = "day" if len(cadence.days) == 1 else "days"
    again = f"starts over on day {cadence.restart}" if cadence.restart is not None else "does not start over"
    return f"reminders come on {which} {days} after the first notice; the series {again}."


def warning_words(days: tuple[int, ...]) -> str:
    """When warnings come, in a sentence."""
    if not days:
        return "nobody is warned before an end."
    return f"people are warned {listed([str(day) for day in days])} {'day' if days == (1,) else 'days'} before the end."


def _cadence(asked: Asked, words: str, restart: str | None) -> Cadence | None:
    """None: as it is by default."""
    if words.casefold() == _DEFAULT:
        return None
    if words.casefold() in _OFF:
        return Cadence(days=(), restart=None)
    days = tuple(sorted(_days(asked, words)))
    if restart is None:
        return Cadence(days=days, restart=min(days[-1] + _GAP, LAST_DAY + _GAP))
    if restart.casefold() in _OFF:
        return Cadence(days=days, restart=None)
    again = _days(asked, restart)
    if len(again) != 1 or again[0] <= days[-1]:
        raise asked.refused(f"The series can start over on one day, after day {days[-1]}.")
    return Cadence(days=days, restart=again[0])


def _days(asked: Asked, words: str) -> list[int]:
    pieces = [piece for piece in re.split(r"[\s,;]+|\band\b", words) if piece]
    for piece in pieces:
        if not (piece.isascii() and piece.isdigit() and 1 <= int(piece) <= LAST_DAY):
            raise asked.refused(f"“{piece[:20]}” is not a number of days between 1 and {LAST_DAY}.")
    days = list(dict.fromkeys(int(piece) for piece in pieces))
    if not 1 <= len(days) <= MOST_DAYS:
        raise asked.refused(f"Name at least one day, and at most {number_of(MOST_DAYS, 'day')}.")
    return days


def _network(services: Services, asked: Asked, words: str | None) -> str | None:
    """A network's slug; None: every network."""
    if words is None or words.casefold() in ("all", "every network", "everything"):
        return None
    return network_meant(services, asked, words)


async def _rules(uow: UnitOfWork, asker: Asker, network: str | None) -> RuleSet:
    there = await uow.rule_sets.all(asker.organization_id)
    none = RuleSet(organization_id=asker.organization_id, network=network)
    return next((one for one in there if one.network == network), none)


async def _write(uow: UnitOfWork, services: Services, asker: Asker, changed: RuleSet, **detail: str) -> None:
    await uow.rule_sets.put(changed)
    said = {name: value for name, value in detail.items() if value}
    subject = f"network {changed.network or 'all'}"
    await uow.audit.write(entry(asker, services.clock.now(), "rules.changed", subject, **said))


def _changed(services: Services, network: str | None, sentence: str) -> Message:
    where = (
        network_name(services.networks, network) if network is not None else "Every network without a rule of its own"
    )
    return Message((text(f"{Mark.GOOD} ", Bold(where), f": {sentence}"),), Tone.GOOD)


def _begins_days(word: str) -> bool:
    return word[:1].isdigit() or word.casefold() in {*_OFF, _DEFAULT}
