"""Reads what was typed or chosen for `/subscribe-lapses` and `/unsubscribe-lapses`. Raises CommandError, and nothing
else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from commands.ids import ClientId
from commands.model import Rhythm, Topic
from commands.parsing import (
    Arguments,
    Token,
    client_named,
    leading,
    network_named,
    one_of,
    refusal,
    tokens_of,
    unknown,
    yes,
)
from commands.usage import Usage

_KEYS = ("network", "client", "here", "list", "everything", "rhythm", "for")
_FLAGS = frozenset({"here", "list", "everything", "all"})
_RHYTHMS = {rhythm.value: rhythm for rhythm in Rhythm}
_TOPICS = {topic.value: topic for topic in Topic}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionQuery:
    """What the two commands were asked."""

    networks: tuple[str, ...] = ()
    """Slugs; empty: all."""
    client_ids: tuple[ClientId, ...] = ()
    """Empty: all."""
    all: bool = False
    """Said in so many words."""
    here: bool = False
    list: bool = False
    everything: bool = False
    rhythm: Rhythm | None = None
    """How often to hear; None: nothing was said of it."""
    topics: tuple[Topic, ...] = ()
    """What the rhythm is for; empty: nothing was said of it, so for all."""

    @property
    def names_something(self) -> bool:
        """Whether it was said what to hear of."""
        return bool(self.networks or self.client_ids or self.all)

    @property
    def is_bare(self) -> bool:
        """Whether nothing was said of what to hear."""
        said = self.here or self.list or self.everything or self.rhythm is not None or self.topics
        return not (said or self.names_something)


def parse_subscription(
    arguments: Arguments, names: Mapping[str, str], clients: Mapping[str, ClientId], command: Usage
) -> SubscriptionQuery:
    """Read the arguments; `names` is what `network_names` gave, `clients` are those that the asker may see, by name."""
    return _Reading(arguments, names, clients, command.here(set(names.values()))).query()


class _Reading:
    """One request while it is read, word by word."""

    def __init__(
        self, form: Arguments, names: Mapping[str, str], clients: Mapping[str, ClientId], command: Usage
    ) -> None:
        self._form, self._names, self._clients, self._command = form, names, clients, command
        self._by_folded = {name.casefold(): client_id for name, client_id in clients.items()}
        self._flags: set[str] = set()
        self._networks: list[str] = []
        self._client_ids: list[ClientId] = []
        self._rhythms: list[Rhythm] = []
        self._topics: list[Topic] = []

    def query(self) -> SubscriptionQuery:
        """Read all of it."""
        tokens = tokens_of(self._form, _KEYS, self._command)
        while tokens:
            self._read(tokens.pop(0), tokens)
        if len(set(self._rhythms)) > 1:
            raise refusal(self._form, self._command, "Say immediate, daily or weekly.")
        return SubscriptionQuery(
            networks=tuple(dict.fromkeys(self._networks)),
            client_ids=tuple(dict.fromkeys(self._client_ids)),
            all="all" in self._flags,
            here="here" in self._flags,
            list="list" in self._flags,
            everything="everything" in self._flags,
            rhythm=self._rhythms[0] if self._rhythms else None,
            topics=tuple(dict.fromkeys(self._topics)),
        )

    def _read(self, token: Token, rest: list[Token]) -> None:
        folded = token.text.casefold()
        if token.key is not None:
            self._named(token.key, token.text)
        elif (long := self._client(token, rest, least=2)) is not None:
            self._client_ids.append(long)  # "Daily Mail" is a client before "daily" is a rhythm
        elif not token.quoted and folded in _FLAGS:
            self._flags.add(folded)
        elif not token.quoted and folded in _RHYTHMS:
            self._rhythms.append(_RHYTHMS[folded])
        elif not token.quoted and folded in _TOPICS:
            self._topics.append(_TOPICS[folded])
        elif not token.quoted and folded in ("for", "and") and rest and rest[0].text.casefold() in _TOPICS:
            return
        elif (slug := leading(token, rest, self._names)) is not None:
            self._networks.append(slug)
        elif (client_id := self._client(token, rest, least=1)) is not None:
            self._client_ids.append(client_id)
        else:
            known = (*self._names, *self._clients, *sorted(_FLAGS), *_RHYTHMS, *_TOPICS)
            raise unknown(self._form, self._command, token.text, known)

    def _named(self, key: str, value: str) -> None:
        """Take an option given by its name."""
        if key == "client":
            self._client_ids.append(client_named(value, self._clients, self._form, self._command))
        elif key == "network" and value.casefold() == "all":
            self._flags.add("all")
        elif key == "network":
            self._networks.append(network_named(value, self._names, self._form, self._command))
        elif key == "rhythm":
            self._rhythms.append(one_of(Rhythm, value, self._form, self._command))
        elif key == "for":
            self._topics.append(one_of(Topic, value, self._form, self._command))
        elif yes(value, self._form, self._command):
            self._flags.add(key)

    def _client(self, token: Token, rest: list[Token], *, least: int) -> ClientId | None:
        return leading(token, rest, self._by_folded, quoted=True, least=least)
