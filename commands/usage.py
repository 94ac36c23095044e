"""What can be typed, written once: the names, usage and examples from which catalogue, help and hints are made.

NETWORK stands in examples for one that is set up here; `Usage.here` puts it in.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from commands.messages import Code, Line, Plain, Span
from commands.ports.chat import Options, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A command to copy, in both forms. Somebody who typed words is shown words, somebody who chose options options."""

    words: str
    options: str
    does: str

    def code(self, form: Words | Options) -> Code:
        """The form that the asker used themselves."""
        return Code(self.options if isinstance(form, Options) else self.words)

    def naming(self, network: str) -> "Example":
        """The same about this network."""
        return replace(self, words=self.words.replace(NETWORK, network), options=self.options.replace(NETWORK, network))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How a command is called."""

    name: str
    """Without the slash."""
    description: str
    """At most 100 characters."""
    usage: str
    """What can be typed after the name; at most 100 characters."""
    examples: tuple[Example, ...]
    hints: tuple[Example, ...]
    """What somebody reads who typed something that is not understood."""

    def here(self, networks: Collection[str]) -> "Usage":
        """The same with examples of one of these networks, by their slugs; unchanged where there are none."""
        if not networks:
            return self
        first = example_network(networks)
        return replace(
            self,
            examples=tuple(example.naming(first) for example in self.examples),
            hints=tuple(example.naming(first) for example in self.hints),
        )


NETWORK = "NETWORK"
HELP = Example(words="/lapsed help", options="/lapsed show:help", does="this help")
MINE = Example(words="/lapsed mine", options="/lapsed mine:yes", does="only what you connected or own")
ONE_NETWORK = Example(words="/lapsed NETWORK", options="/lapsed network:NETWORK", does="one network")
WHO = Example(
    words="/lapsed who 7012345678901234567",
    options="/lapsed show:who account:7012345678901234567",
    does="who connected an account, who may reconnect it, its business and history",
)
HISTORY = Example(
    words="/lapsed history Acme EU Ads",
    options="/lapsed show:history account:Acme EU Ads",
    does="an account's past lapses, with causes, notes and who mended them",
)
STATS = Example(
    words="/lapsed stats NETWORK",
    options="/lapsed show:stats network:NETWORK",
    does="lapses by week and cause, and how long reconnecting took",
)
UPCOMING = Example(
    words="/lapsed upcoming client:Acme",
    options="/lapsed show:upcoming client:Acme",
    does="what ends within 90 days, by week and person, and your next reconnect day",
)
WHO_CAN = Example(
    words="/lapsed who-can Acme EU Ads",
    options="/lapsed show:who-can account:Acme EU Ads",
    does="who may reconnect an account, what it takes, whom to ask",
)
RECONNECT_ALL = Example(
    words="/reconnect", options="/reconnect", does="your links, one for each login that repairs accounts"
)
RECONNECT_ONE = Example(
    words="/reconnect Acme EU Ads", options="/reconnect account:Acme EU Ads", does="your link for one account"
)
CONNECT_ONE = Example(words="/connect NETWORK", options="/connect network:NETWORK", does="connect new accounts")
WHY = Example(words="/lapsed why NETWORK", options="/lapsed show:why network:NETWORK", does="why connections lapse")
CHECK = Example(
    words="/lapsed check Acme EU Ads",
    options="/lapsed show:check account:Acme EU Ads",
    does="look now whether an account works",
)
CLAIM = Example(
    words="/lapse-admin claim CODE",
    options="/lapse-admin claim code:CODE",
    does="give this workspace to your organization",
)
SUBSCRIBED = Example(words="/subscribe-lapses list", options="/subscribe-lapses list:yes", does="what you hear of")
SUBSCRIBE_ALL = Example(
    words="/subscribe-lapses all", options="/subscribe-lapses network:all", does="hear of every lapse"
)
END_EVERYTHING = Example(
    words="/unsubscribe-lapses everything",
    options="/unsubscribe-lapses everything:yes",
    does="stop all of yours",
)

LAPSED = Usage(
    name="lapsed",
    description="Accounts that need connecting, with a way to reconnect each",
    usage="[network] [client:…] [@person] [mine|all|expiring] [account] · who · history · stats · why · help",
    examples=(
        Example(words="/lapsed", options="/lapsed", does="what needs connecting"),
        MINE,
        ONE_NETWORK,
        Example(
            words="/lapsed client:Acme expiring",
            options="/lapsed client:Acme state:expiring",
            does="one client, and what expires within 14 days",
        ),
        Example(words="/lapsed all", options="/lapsed state:all", does="every account ever connected"),
        Example(
            words="/lapsed 7012345678901234567",
            options="/lapsed account:7012345678901234567",
            does="search by account id, or by part of a name",
        ),
        WHO,
        WHO_CAN,
        HISTORY,
        STATS,
        UPCOMING,
        CHECK,
        WHY,
        HELP,
    ),
    hints=(ONE_NETWORK, MINE, WHO, HELP),
)

_SUBSCRIBE_EXAMPLES = (
    SUBSCRIBE_ALL,
    Example(
        words="/subscribe-lapses NETWORK client:Acme",
        options="/subscribe-lapses network:NETWORK client:Acme",
        does="only one network, one client, or both",
    ),
    Example(
        words="/subscribe-lapses here NETWORK",
        options="/subscribe-lapses here:yes network:NETWORK",
        does="this channel hears, instead of you",
    ),
    Example(
        words="/subscribe-lapses daily for warnings",
        options="/subscribe-lapses rhythm:daily for:warnings",
        does="how often you hear: immediate, daily or weekly, for lapses or for warnings",
    ),
    SUBSCRIBED,
)

SUBSCRIBE = Usage(
    name="subscribe-lapses",
    description="Hear of lapses, yourself or in this channel",
    usage="[all] [network …] [client:…] [here] [daily|weekly|immediate] [for lapses|warnings] · list",
    examples=_SUBSCRIBE_EXAMPLES,
    hints=(*_SUBSCRIBE_EXAMPLES, HELP),
)

_UNSUBSCRIBE_EXAMPLES = (
    Example(
        words="/unsubscribe-lapses NETWORK",
        options="/unsubscribe-lapses network:NETWORK",
        does="stop what you asked for in just these words",
    ),
    END_EVERYTHING,
    Example(
        words="/unsubscribe-lapses here everything",
        options="/unsubscribe-lapses here:yes everything:yes",
        does="stop all of this channel's",
    ),
)

UNSUBSCRIBE = Usage(
    name="unsubscribe-lapses",
    description="Stop hearing of lapses, yourself or in this channel",
    usage="[all] [network …] [client:…] [here] · everything · list",
    examples=_UNSUBSCRIBE_EXAMPLES,
    hints=(*_UNSUBSCRIBE_EXAMPLES, HELP),
)

RECONNECT = Usage(
    name="reconnect",
    description="Your personal links for reconnecting, one for each login",
    usage="[account] [network] [client:…] [all]",
    examples=(RECONNECT_ALL, RECONNECT_ONE),
    hints=(RECONNECT_ALL, RECONNECT_ONE, HELP),
)

CONNECT = Usage(
    name="connect",
    description="Your personal link for connecting new accounts of a network",
    usage="NETWORK",
    examples=(CONNECT_ONE,),
    hints=(CONNECT_ONE, HELP),
)

LAPSE_ADMIN = Usage(
    name="lapse-admin",
    description="Owners, people, rules and the audit log, for administrators",
    usage="owners · people · transfer ACCOUNT to PERSON · role PERSON ROLE · settings · audit · help",
    examples=(
        CLAIM,
        Example(
            words="/lapse-admin owners",
            options="/lapse-admin owners",
            does="owners, with how much needs connecting and a way to send a link",
        ),
        Example(
            words="/lapse-admin transfer Acme EU Ads to Ana Ruiz",
            options="/lapse-admin transfer account:Acme EU Ads person:Ana Ruiz",
            does="give an account another owner",
        ),
        Example(words="/lapse-admin settings", options="/lapse-admin settings", does="everything that is set here"),
    ),
    hints=(CLAIM,),
)

ADMIN_HELP = Example(words="/lapse-admin help", options="/lapse-admin", does="everything that administrators can do")

USAGES = (LAPSED, RECONNECT, CONNECT, SUBSCRIBE, UNSUBSCRIBE, LAPSE_ADMIN)


def example_network(networks: Collection[str]) -> str:
    """The network that examples name: one of a single word, as people type it, if there is one."""
    return min(networks, key=lambda slug: ("_" in slug, slug))


def try_line(form: Words | Options, *examples: Example) -> Line:
    """Write "Try a, b or c." in the asker's own form."""
    spans: list[Span] = [Plain("Try ")]
    for index, example in enumerate(examples):
        if index:
            spans.append(Plain(" or " if index == len(examples) - 1 else ", "))
        spans.append(example.code(form))
    return (*spans, Plain("."))
