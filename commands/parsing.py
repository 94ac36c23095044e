"""Reads what was typed or chosen into one query, the same from either form. Raises CommandError, and nothing else.

In words the order is free: `tiktok mine "Acme EU"`. Quotes keep words together, and keep them from being read as a
network or a filter; `client:…` and the other options' names work in words too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, TypeVar

from commands import usage
from commands.actions import StateFilter
from commands.causes import cause_name
from commands.errors import CommandError
from commands.ids import ClientId
from commands.messages import Bold, Message, Plain, Span, Text, text
from commands.model import CLEAR_LAPSES
from commands.ports.chat import Options, Words
from commands.ports.network import Networks
from commands.usage import Usage, try_line
from commands.wording import clean, listed, nearest, shown

Arguments = Words | Options
E = TypeVar("E", bound=StrEnum)
V = TypeVar("V")

READ_LIMIT = 4000  # characters of a request that are looked at; platforms carry fewer
SEARCH_LIMIT = 100  # characters of an account's name that are searched for
ECHO_LIMIT = 40  # characters of somebody's words that an answer repeats
MOST_NAMED = 9  # known words that an answer names all of


class Show(StrEnum):
    """What `/lapsed` shows."""

    LIST = "list"
    WHO = "who"
    HISTORY = "history"
    STATS = "stats"
    UPCOMING = "upcoming"
    WHO_CAN = "who-can"
    CHECK = "check"
    WHY = "why"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class LapsedQuery:
    """What `/lapsed` was asked."""

    show: Show = Show.LIST
    network: str | None = None
    """A network's slug."""
    client: str | None = None
    """As it was typed."""
    person: str | None = None
    """`@ID` of the platform, or a name as it was typed. Behind an `@` it may turn out to be an account's."""
    mine: bool = False
    state: StateFilter | None = None
    account: str | None = None
    """Part of a name, or an id."""
    words: str | None = None
    """Words that are no filter: an account's name, or a client's. Only in a list and in figures; elsewhere they are the
    account.
    """


class Token(NamedTuple):
    """A word, or several that belong together: in quotes, or behind an option's name."""

    key: str | None
    text: str
    quoted: bool


_TOKEN = re.compile(r'(?:(?P<key>[A-Za-z]+):\s*)?(?:"(?P<quoted>[^"]*)"?|(?P<word>[^\s"]+))')
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
_YES = frozenset({"yes", "y", "true", "1", "on"})
_NO = frozenset({"no", "n", "false", "0", "off", ""})
_LAPSED_KEYS = ("show", "network", "client", "person", "mine", "state", "account")
_ACCOUNT_KEYS = ("account", "network", "client")
_STATE_WORDS = {state.value: state for state in StateFilter}
_LISTS = (Show.LIST, Show.STATS, Show.UPCOMING)
"""What shows many connections at once."""


def network_names(networks: Networks) -> Mapping[str, str]:
    """Everything that a network is called, folded, with its slug."""
    return {
        name.casefold(): slug
        for slug, network in networks.items()
        for name in (*network.spec.aliases, network.spec.name, slug)
    }


def parse_lapsed(arguments: Arguments, names: Mapping[str, str]) -> LapsedQuery:
    """Read the arguments of `/lapsed`; `names` is what `network_names` gave."""
    command = usage.LAPSED.here(set(names.values()))
    tokens = tokens_of(arguments, _LAPSED_KEYS, command)
    filters, show = _filters_and_show(tokens, names)
    found = _Found(arguments, command)
    bare = _read_lapsed_words(filters, names, found, Show.LIST) + _read_lapsed_words(tokens, names, found, show)
    for key, value in found.pairs.items():
        if key == "show":
            show = one_of(Show, value, arguments, command)
    words = " ".join(bare)[:SEARCH_LIMIT].strip() or None
    network = found.pairs.get("network")
    account = found.pairs.get("account", "")[:SEARCH_LIMIT].strip() or None
    state = found.pairs.get("state")
    mine = yes(found.pairs.get("mine", ""), arguments, command)
    person = found.pairs.get("person")
    if show is Show.WHY and words:
        network, words = _why(words, names, arguments), None
    if show not in _LISTS:
        account, words = account or words, None
    if mine and person is not None:
        raise refusal(arguments, command, "Ask for yours or for somebody else's, one at a time.")
    return LapsedQuery(
        show=show,
        network=network,
        client=found.pairs.get("client"),
        person=person,
        mine=mine,
        state=one_of(StateFilter, state, arguments, command) if state else None,
        account=account,
        words=words,
    )


def _why(words: str, names: Mapping[str, str], form: Arguments) -> str | None:
    """Read what is asked after: a network, or a cause, of which the answer about all tells. Raises CommandError."""
    slug = names.get(words.casefold())
    causes = {word for cause in CLEAR_LAPSES for word in (*cause_name(cause).split(), cause.value) if len(word) > 3}
    if slug is None and not causes.issuperset(words.casefold().split()):
        hints = replace(usage.LAPSED, hints=(usage.WHY, usage.WHO, usage.HELP)).here(set(names.values()))
        raise unknown(form, hints, words, (*names, *sorted(causes)))
    return slug


def parse_account(arguments: Arguments, names: Mapping[str, str], command: Usage) -> LapsedQuery:
    """Read the arguments of a command that is about an account, or about several: `mine`, or `all`."""
    command = command.here(set(names.values()))
    found = _Found(arguments, command)
    tokens = tokens_of(arguments, _ACCOUNT_KEYS, command)
    bare = _read_lapsed_words(tokens, names, found, Show.WHO)
    words = (found.pairs.get("account", "") or " ".join(bare))[:SEARCH_LIMIT].strip()
    which = words.casefold() if words.casefold() in ("all", "mine") else None
    return LapsedQuery(
        network=found.pairs.get("network"),
        client=found.pairs.get("client"),
        mine="mine" in found.pairs or which == "mine",
        state=StateFilter.ALL if which == "all" else None,
        account=None if which is not None else words or None,
    )


def parse_network(arguments: Arguments, names: Mapping[str, str], command: Usage) -> str | None:
    """Read the arguments of a command that is about one network; None: nothing was said."""
    command = command.here(set(names.values()))
    words = " ".join(token.text for token in tokens_of(arguments, ("network",), command)).strip()
    return network_named(words, names, arguments, command) if words else None


def parse_claim(arguments: Arguments) -> str:
    """Read the code of `/lapse-admin claim CODE`."""
    if isinstance(arguments, Options):
        subcommand, code = arguments.values.get("subcommand", ""), arguments.values.get("code", "")
    else:
        subcommand, _, code = clean(arguments.text[:READ_LIMIT]).partition(" ")
    if clean(subcommand[:READ_LIMIT]).casefold() != "claim":
        raise refusal(arguments, usage.LAPSE_ADMIN, "All that can be done here is to claim this workspace.")
    code = clean(code[:READ_LIMIT]).removeprefix("code:").strip()
    if not code:
        raise refusal(arguments, usage.LAPSE_ADMIN, "The code is missing. Whoever runs lapsebot can make one.")
    return code


def client_named(words: str, clients: Mapping[str, ClientId], form: Arguments, command: Usage) -> ClientId:
    """Find a client by its whole name, without case. Raises CommandError with the nearest one."""
    by_folded = {name.casefold(): client_id for name, client_id in clients.items()}
    found = by_folded.get(words.casefold())
    if found is None:
        raise unknown(form, command, words, clients, noun="a client called ")
    return found


def unknown(form: Arguments, command: Usage, words: str, known: Iterable[str], *, noun: str = "") -> CommandError:
    """Say that a word is not known, what it is most like, and what can be typed (C-10)."""
    spans: list[Span] = [Plain(f"I don't know {noun}“{shown(words, ECHO_LIMIT)}”.")]
    among = list(known)
    first, _, rest = words.partition(" ")  # "histroy Acme EU": the word that was meant is the first one
    guess = nearest(words, among) or (nearest(first, among) if rest else None)
    if guess is not None:
        spans += [Plain(" Did you mean "), Bold(shown(guess)), Plain("?")]
    elif 0 < len(among) <= MOST_NAMED:
        spans.append(Plain(f" Known here: {listed([shown(one) for one in among])}."))
    return CommandError(Message((text(*spans), Text(try_line(form, *command.hints)))))


class _Found:
    """What was given by name so far; the same thing given twice, differently, is refused."""

    def __init__(self, form: Arguments, command: Usage) -> None:
        self.pairs: dict[str, str] = {}
        self.form = form
        self.command = command

    def put(self, key: str, value: str) -> None:
        if self.pairs.setdefault(key, value).casefold() != value.casefold():
            raise refusal(self.form, self.command, f"I can look at one {key} at a time.")


def _filters_and_show(tokens: list[Token], names: Mapping[str, str]) -> tuple[list[Token], Show]:
    """Take the filters before the word for what to show, and the word itself, off `tokens`; it may stand behind them,
    so that the order is free.
    """
    at = 0
    while at < len(tokens):
        token, folded = tokens[at], tokens[at].text.casefold()
        if token.key is None and not token.quoted and folded in set(Show):
            filters = tokens[:at]
            del tokens[: at + 1]
            return filters, Show(folded)
        rest = tokens[at + 1 :]
        if token.key is not None or (not token.quoted and (folded in _STATE_WORDS or folded in ("mine", "@me"))):
            at += 1
        elif leading(token, rest, names) is not None:
            at = len(tokens) - len(rest)
        else:
            break
    return [], Show.LIST


def _read_lapsed_words(tokens: list[Token], names: Mapping[str, str], found: _Found, show: Show) -> list[str]:
    """Sort tokens into `found`; give the words that are left."""
    bare = []
    while tokens:
        token = tokens.pop(0)
        folded = token.text.casefold()
        if token.key == "network":
            found.put("network", network_named(token.text, names, found.form, found.command))
        elif token.key is not None:
            found.put(token.key, token.text)
        elif token.quoted:
            bare.append(token.text)
        elif folded == "@me" or (show in _LISTS and folded == "mine"):
            found.put("mine", "yes")
        elif show is Show.LIST and token.text.startswith("@") and len(token.text) > 1:
            found.put("person", token.text)
        elif show is Show.LIST and folded in _STATE_WORDS:
            found.put("state", folded)
        elif (slug := leading(token, tokens, names)) is not None:
            found.put("network", slug)
        else:
            bare.append(token.text)
    return bare


def tokens_of(arguments: Arguments, keys: Sequence[str], command: Usage) -> list[Token]:
    """Take arguments apart; `keys` are the options that may be named, in either form."""
    if isinstance(arguments, Options):
        return [
            Token(_key(key, keys, arguments, command), cleaned, quoted=False)
            for key, value in arguments.values.items()
            if (cleaned := clean(value[:READ_LIMIT]))
        ]
    tokens = []
    for match in _TOKEN.finditer(clean(arguments.text[:READ_LIMIT]).translate(_QUOTES)):
        key, quoted = match["key"], match["quoted"] is not None
        value = match["quoted"].strip() if quoted else match["word"]
        if key is None and value.endswith(":") and value[:-1].casefold() in keys:
            key, value = value[:-1], ""
        if key is not None and key.casefold() not in keys:  # a colon in an account's name
            tokens.append(Token(None, match[0].replace('"', ""), quoted=True))
        elif key is not None:
            if not value:
                raise refusal(arguments, command, f"Say which {key.casefold()} you mean.")
            tokens.append(Token(key.casefold(), value, quoted=quoted))
        elif value:
            tokens.append(Token(None, value, quoted=quoted))
    return tokens


def _key(key: str, keys: Sequence[str], form: Arguments, command: Usage) -> str:
    folded = clean(key[:ECHO_LIMIT]).casefold()
    if folded not in keys:
        raise unknown(form, command, key, keys, noun="an option ")
    return folded


def leading(
    token: Token, rest: list[Token], names: Mapping[str, V], *, quoted: bool = False, least: int = 1
) -> V | None:
    """Find what is called as the words that begin at this token; its further words are taken off `rest`. The longest
    name wins, and is of at least so many words. `names` are folded; `quoted`: words in quotes may be one as well.
    """
    for length in range(max((name.count(" ") + 1 for name in names), default=0), least - 1, -1):
        words = (token, *rest[: length - 1])
        if len(words) < length or any(word.quoted and not quoted for word in words):
            continue
        found = names.get(" ".join(word.text for word in words).casefold())
        if found is not None and all(word.key is None for word in words[1:]):
            del rest[: length - 1]
            return found
    return None


def network_named(words: str, names: Mapping[str, str], form: Arguments, command: Usage) -> str:
    """Find a network by one of its names. Raises CommandError with the nearest one."""
    slug = names.get(words.casefold())
    if slug is None:
        raise unknown(form, command, words, names, noun="a network called ")
    return slug


def one_of(kind: type[E], value: str, form: Arguments, command: Usage) -> E:
    """Find a value of a closed set. Raises CommandError with the nearest one."""
    try:
        return kind(value.casefold())
    except ValueError:
        raise unknown(form, command, value, list(kind)) from None


def yes(value: str, form: Arguments, command: Usage) -> bool:
    """Read a yes or a no. Raises CommandError."""
    folded = value.casefold()
    if folded not in _YES | _NO:
        raise unknown(form, command, value, ("yes", "no"))
    return folded in _YES


def refusal(form: Arguments, command: Usage, sentence: str) -> CommandError:
    """Say what is wrong, and what can be typed."""
    return CommandError(Message((text(sentence), Text(try_line(form, *command.hints)))))
