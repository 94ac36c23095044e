"""What can be typed, written once: the names, usage and examples from which catalogue, help and hints are made."""

from dataclasses import dataclass

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


HELP = Example(words="/lapsed help", options="/lapsed show:help", does="this help")
MINE = Example(words="/lapsed mine", options="/lapsed mine:yes", does="only what you connected or own")
ONE_NETWORK = Example(words="/lapsed tiktok", options="/lapsed network:tiktok", does="one network")
WHO = Example(
    words="/lapsed who 7012345678901234567",
    options="/lapsed show:who account:7012345678901234567",
    does="who connected an account, who may reconnect it, its business and history",
)
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
    usage="[network] [client:…] [@person] [mine|all|expiring|active] [account] · who · check · why · help",
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
        CHECK,
        Example(
            words="/lapsed why linkedin", options="/lapsed show:why network:linkedin", does="why connections lapse"
        ),
        HELP,
    ),
)

SUBSCRIBE = Usage(
    name="subscribe-lapses",
    description="Hear of lapses, yourself or in this channel",
    usage="[all] [network …] [client:…] [here] · list",
    examples=(
        SUBSCRIBE_ALL,
        Example(
            words="/subscribe-lapses tiktok client:Acme",
            options="/subscribe-lapses network:tiktok client:Acme",
            does="only one network, one client, or both",
        ),
        Example(
            words="/subscribe-lapses here facebook",
            options="/subscribe-lapses here:yes network:facebook",
            does="this channel hears, instead of you",
        ),
        SUBSCRIBED,
    ),
)

UNSUBSCRIBE = Usage(
    name="unsubscribe-lapses",
    description="Stop hearing of lapses, yourself or in this channel",
    usage="[all] [network …] [client:…] [here] · everything · list",
    examples=(
        Example(
            words="/unsubscribe-lapses tiktok",
            options="/unsubscribe-lapses network:tiktok",
            does="stop what you asked for in just these words",
        ),
        END_EVERYTHING,
        Example(
            words="/unsubscribe-lapses here everything",
            options="/unsubscribe-lapses here:yes everything:yes",
            does="stop all of this channel's",
        ),
    ),
)

LAPSE_ADMIN = Usage(
    name="lapse-admin",
    description="Set up lapsebot in this workspace",
    usage="claim CODE",
    examples=(CLAIM,),
)

USAGES = (LAPSED, SUBSCRIBE, UNSUBSCRIBE, LAPSE_ADMIN)


def try_line(form: Words | Options, *examples: Example) -> Line:
    """Write "Try a, b or c." in the asker's own form."""
    spans: list[Span] = [Plain("Try ")]
    for index, example in enumerate(examples):
        if index:
            spans.append(Plain(" or " if index == len(examples) - 1 else ", "))
        spans.append(example.code(form))
    return (*spans, Plain("."))
