"""Reads what was typed or chosen into one query, the same from either form. Raises CommandError, and nothing else.

In words the order is free: `tiktok mine "Acme EU"`. Quotes keep words together, and keep them from being read as a
network or a filter; `client:…` and the other options' names work in words too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

from commands import usage
from commands.actions import StateFilter
from commands.errors import CommandError
from commands.ids import ClientId
from commands.messages import Bold, Message, Plain, Span, Text, text
from commands.ports.chat import Options, Words
from commands.ports.network import Networks
from commands.usage import Usage, try_line
from commands.wording import clean, nearest, shown

Arguments = Words | Options
E = TypeVar("E", bound=StrEnum)

READ_LIMIT = 4000  # characters of a request that are looked at; platforms carry fewer
SEARCH_LIMIT = 100  # characters of an account's name that are searched for
ECHO_LIMIT = 40  # characters of somebody's words that an answer repeats


class Show(StrEnum):
    """What `/lapsed` shows."""

    LIST = "list"
    WHO = "who"
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
    """Words that are no filter: an account's name, or a client's. Only in a list; elsewhere they are the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionQuery:
    """What `/subscribe-lapses` and `/unsubscribe-lapses` were asked."""

    networks: tuple[str, ...] = ()
    """Slugs; empty: all."""
    client_ids: tuple[ClientId, ...] = ()
    """Empty: all."""
    all: bool = False
    """Said in so many words."""
    here: bool = False
    list: bool = False
    everything: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether nothing was said of what to hear."""
        return not (self.networks or self.client_ids or self.all or self.here or self.list or self.everything)


class _Token(NamedTuple):
    key: str | None
    text: str
    quoted: bool


_TOKEN = re.compile(r'(?:(?P<key>[A-Za-z]+):\s*)?(?:"(?P<quoted>[^"]*)"?|(?P<word>[^\s"]+))')
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
_YES = frozenset({"yes", "y", "true", "1", "on"})
_NO = frozenset({"no", "n", "false", "0", "off", ""})
_LAPSED_KEYS = ("show", "network", "client", "person", "mine", "state", "account")
_SUBSCRIPTION_KEYS = ("network", "client", "here", "list", "everything")
_STATE_WORDS = {state.value: state for state in StateFilter}


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
    tokens = _tokens(arguments, _LAPSED_KEYS, command)
    show = Show.LIST
    if tokens and tokens[0].key is None and not tokens[0].quoted and tokens[0].text.casefold() in set(Show):
        show = Show(tokens.pop(0).text.casefold())
    found = _Found(arguments, command)
    bare = _read_lapsed_words(tokens, names, found, show)
    for key, value in found.pairs.items():
        if key == "show":
            show = _one_of(Show, value, arguments, command)
    words = " ".join(bare)[:SEARCH_LIMIT].strip() or None
    network = found.pairs.get("network")
    account = found.pairs.get("account", "")[:SEARCH_LIMIT].strip() or None
    state = found.pairs.get("state")
    mine = _yes(found.pairs.get("mine", ""), arguments, command)
    person = found.pairs.get("person")
    if show is Show.WHY and words:
        network, words = _network(words, names, arguments, command), None
    if show is not Show.LIST:
        account, words = account or words, None
    if mine and person is not None:
        raise _refusal(arguments, command, "Ask for yours or for somebody else's, one at a time.")
    return LapsedQuery(
        show=show,
        network=network,
        client=found.pairs.get("client"),
        person=person,
        mine=mine,
        state=_one_of(StateFilter, state, arguments, command) if state else None,
        account=account,
        words=words,
    )


def parse_subscription(
    arguments: Arguments, names: Mapping[str, str], clients: Mapping[str, ClientId], command: Usage
) -> SubscriptionQuery:
    """Read the arguments of the two subscription commands; `clients` are those that the asker may see, by name."""
    command = command.here(set(names.values()))
    tokens = _tokens(arguments, _SUBSCRIPTION_KEYS, command)
    flags: set[str] = set()
    networks: list[str] = []
    client_ids: list[ClientId] = []
    bare: list[_Token] = []
    while tokens:
        token = tokens.pop(0)
        folded = token.text.casefold()
        if token.key in ("here", "list", "everything"):
            flags |= {token.key} if _yes(token.text, arguments, command) else set()
        elif token.key == "client":
            client_ids.append(client_named(token.text, clients, arguments, command))
        elif token.key == "network":
            flags |= {"all"} if folded == "all" else set()
            networks += [] if folded == "all" else [_network(token.text, names, arguments, command)]
        elif not token.quoted and folded in ("here", "list", "everything", "all"):
            flags.add(folded)
        elif (slug := _leading_network(token, tokens, names)) is not None:
            networks.append(slug)
        else:
            bare.append(token)
    client_ids += _clients_among(bare, names, clients, arguments, command)
    return SubscriptionQuery(
        networks=tuple(dict.fromkeys(networks)),
        client_ids=tuple(dict.fromkeys(client_ids)),
        all="all" in flags,
        here="here" in flags,
        list="list" in flags,
        everything="everything" in flags,
    )


def parse_claim(arguments: Arguments) -> str:
    """Read the code of `/lapse-admin claim CODE`."""
    if isinstance(arguments, Options):
        subcommand, code = arguments.values.get("subcommand", ""), arguments.values.get("code", "")
    else:
        subcommand, _, code = clean(arguments.text[:READ_LIMIT]).partition(" ")
    if clean(subcommand[:READ_LIMIT]).casefold() != "claim":
        raise _refusal(arguments, usage.LAPSE_ADMIN, "What can be done here is to claim this workspace.")
    code = clean(code[:READ_LIMIT]).removeprefix("code:").strip()
    if not code:
        raise _refusal(arguments, usage.LAPSE_ADMIN, "The code is missing. Whoever runs lapsebot can make one.")
    return code


def client_named(words: str, clients: Mapping[str, ClientId], form: Arguments, command: Usage) -> ClientId:
    """Find a client by its whole name, without case. Raises CommandError with the nearest one."""
    by_folded = {name.casefold(): client_id for name, client_id in clients.items()}
    found = by_folded.get(words.casefold())
    if found is None:
        raise unknown(form, command, words, clients, noun="a client called ")
    return found


def unknown(
    form: Arguments, command: Usage, words: str, known: Iterable[str], *, noun: str = "", extra: Sequence[Text] = ()
) -> CommandError:
    """Say that a word is not known, what it is most like, and what can be typed (C-10)."""
    spans: list[Span] = [Plain(f"I don't know {noun}“{shown(words, ECHO_LIMIT)}”.")]
    guess = nearest(words, known)
    if guess is not None:
        spans += [Plain(" Did you mean "), Bold(shown(guess)), Plain("?")]
    return CommandError(Message((text(*spans), *extra, Text(try_line(form, *command.hints)))))


class _Found:
    """What was given by name so far; the same thing given twice, differently, is refused."""

    def __init__(self, form: Arguments, command: Usage) -> None:
        self.pairs: dict[str, str] = {}
        self.form = form
        self.command = command

    def put(self, key: str, value: str) -> None:
        if self.pairs.setdefault(key, value).casefold() != value.casefold():
            raise _refusal(self.form, self.command, f"I can look at one {key} at a time.")


def _read_lapsed_words(tokens: list[_Token], names: Mapping[str, str], found: _Found, show: Show) -> list[str]:
    """Sort tokens into `found`; give the words that are left."""
    bare = []
    while tokens:
        token = tokens.pop(0)
        folded = token.text.casefold()
        if token.key == "network":
            found.put("network", _network(token.text, names, found.form, found.command))
        elif token.key is not None:
            found.put(token.key, token.text)
        elif token.quoted:
            bare.append(token.text)
        elif folded == "@me" or (show is Show.LIST and folded == "mine"):
            found.put("mine", "yes")
        elif show is Show.LIST and token.text.startswith("@") and len(token.text) > 1:
            found.put("person", token.text)
        elif show is Show.LIST and folded in _STATE_WORDS:
            found.put("state", folded)
        elif (slug := _leading_network(token, tokens, names)) is not None:
            found.put("network", slug)
        else:
            bare.append(token.text)
    return bare


def _tokens(arguments: Arguments, keys: Sequence[str], command: Usage) -> list[_Token]:
    if isinstance(arguments, Options):
        return [
            _Token(_key(key, keys, arguments, command), cleaned, quoted=False)
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
            tokens.append(_Token(None, match[0].replace('"', ""), quoted=True))
        elif key is not None:
            if not value:
                raise _refusal(arguments, command, f"Say which {key.casefold()} you mean.")
            tokens.append(_Token(key.casefold(), value, quoted=quoted))
        elif value:
            tokens.append(_Token(None, value, quoted=quoted))
    return tokens


def _key(key: str, keys: Sequence[str], form: Arguments, command: Usage) -> str:
    folded = clean(key[:ECHO_LIMIT]).casefold()
    if folded not in keys:
        raise unknown(form, command, key, keys, noun="an option ")
    return folded


def _leading_network(token: _Token, rest: list[_Token], names: Mapping[str, str]) -> str | None:
    """The network that begins at this token, its further words taken off `rest`; the longest name wins."""
    if token.quoted:
        return None
    for length in range(max((name.count(" ") for name in names), default=0), -1, -1):
        following = rest[:length]
        if len(following) < length or any(word.key is not None or word.quoted for word in following):
            continue
        slug = names.get(" ".join(word.text for word in (token, *following)).casefold())
        if slug is not None:
            del rest[:length]
            return slug
    return None


def _clients_among(
    tokens: list[_Token], names: Mapping[str, str], clients: Mapping[str, ClientId], form: Arguments, command: Usage
) -> list[ClientId]:
    """Find client names of several words in a row of tokens, the longest first."""
    by_folded = {name.casefold(): client_id for name, client_id in clients.items()}
    longest = max((name.count(" ") + 1 for name in clients), default=1)
    found = []
    at = 0
    while at < len(tokens):
        for length in range(min(longest, len(tokens) - at), 0, -1):
            client_id = by_folded.get(" ".join(token.text for token in tokens[at : at + length]).casefold())
            if client_id is not None:
                found.append(client_id)
                at += length
                break
        else:
            known = (*names, *clients, "all", "here", "list", "everything")
            raise unknown(form, command, tokens[at].text, known)
    return found


def _network(words: str, names: Mapping[str, str], form: Arguments, command: Usage) -> str:
    slug = names.get(words.casefold())
    if slug is None:
        raise unknown(form, command, words, names, noun="a network called ")
    return slug


def _one_of(kind: type[E], value: str, form: Arguments, command: Usage) -> E:
    try:
        return kind(value.casefold())
    except ValueError:
        raise unknown(form, command, value, list(kind)) from None


def _yes(value: str, form: Arguments, command: Usage) -> bool:
    folded = value.casefold()
    if folded not in _YES | _NO:
        raise unknown(form, command, value, ("yes", "no"))
    return folded in _YES


def _refusal(form: Arguments, command: Usage, sentence: str) -> CommandError:
    return CommandError(Message((text(sentence), Text(try_line(form, *command.hints)))))
