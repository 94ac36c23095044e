"""`/lapsed help` and `/lapsed why`: what can be typed, what makes connections lapse, and who helps (C-10)."""

from collections.abc import Mapping
from types import MappingProxyType

from commands.access import is_administrator
from commands.actions import OutOfDate, feedback_action
from commands.auditing import entry
from commands.causes import cause_name, cause_text
from commands.command import Asker, Services
from commands.drawing import spec_of
from commands.messages import (
    Bold,
    Button,
    Buttons,
    Facts,
    Heading,
    Line,
    Mark,
    Message,
    Part,
    Text,
    line,
    say,
    text,
)
from commands.model import CLEAR_LAPSES, Organization, Verdict
from commands.parsing import Arguments, LapsedQuery
from commands.ports.network import NetworkKind, NetworkSpec
from commands.ports.notices import NoticeKind
from commands.usage import LAPSE_ADMIN, USAGES, Usage
from commands.wording import listed, number_of, shown

TOPICS = ("help", "why")
EXAMPLES: Mapping[NoticeKind, tuple[str, str]] = MappingProxyType(
    {
        NoticeKind.LAPSED: ("At once", f"{Mark.LAPSED} Lapsed: {{account}} · client Acme"),
        NoticeKind.REMINDER: ("After 2 days, then every 5", f"{Mark.LAPSED} Still lapsed: {{account}} · client Acme"),
        NoticeKind.EXPIRING: ("Before a term ends", f"{Mark.EXPIRING} Expiring in 7 days: {{account}} · client Acme"),
        NoticeKind.DIGEST: (
            "Daily or weekly, if you chose so",
            f"{Mark.LAPSED} Daily digest: 3 accounts lapsed · client Acme",
        ),
        NoticeKind.NUDGED: ("When somebody asks you", f"{Mark.LAPSED} Lapsed: {{account}} · client Acme"),
        NoticeKind.ASSIGNED: (
            "When an administrator gives it to you",
            f"{Mark.CLAIMED} Assigned to you: {{account}} · client Acme",
        ),
        NoticeKind.TRANSFERRED: ("When you become an owner", f"{Mark.CLAIMED} Yours now: {{account}} · client Acme"),
        NoticeKind.PERSONAL_LINK: (
            "When you are sent your accounts",
            f"{Mark.CLAIMED} Your accounts: a page of your own to see and reconnect them",
        ),
        NoticeKind.LINK_REFUSED: (
            "When somebody else opens your link",
            f"{Mark.URGENT} Link refused: {{account}} · client Acme",
        ),
        NoticeKind.OUTAGE: (
            "When a network itself fails",
            f"{Mark.HELD} Held: TikTok is failing for 23 of 25 connections",
        ),
        NoticeKind.OUTAGE_OVER: ("When that is over", f"{Mark.GOOD} Over: TikTok works again"),
        NoticeKind.DRILL: ("In a fire drill", f"DRILL · {Mark.LAPSED} Lapsed: {{account}} · client Acme"),
        NoticeKind.NOTE: ("Under a message", f"{Mark.CLAIMED} Raj Patel is on it · {{account}}"),
    }
)
"""When a notice of each kind comes, and how one begins: as `bot/notices` words it, which a test holds it to."""

ADMINISTRATORS_EXAMPLES: Mapping[NoticeKind, tuple[str, str]] = MappingProxyType(
    {
        NoticeKind.UNDELIVERED: (
            "When somebody cannot be reached",
            f"{Mark.URGENT} Not delivered: {{account}} · client Acme",
        ),
        NoticeKind.NOT_MINE: (
            "When somebody says it is not theirs",
            f"{Mark.URGENT} Needs somebody: {{account}} · client Acme",
        ),
        NoticeKind.RETIREMENT_PROPOSED: (
            "When one seems out of use",
            f"{Mark.RETIRED} Retire? {{account}} · client Acme",
        ),
        NoticeKind.SUCCESSION: (
            "When somebody leaves",
            f"{Mark.URGENT} Needs a new login: 17 accounts · clients Acme 9, Brio 8 · connected by Ana Ruiz",
        ),
        NoticeKind.INSTALLATION_LOST: (
            "When I am taken out of a place",
            f"{Mark.URGENT} Bot removed: … · nobody hears of lapses there",
        ),
        NoticeKind.THIN_REACH: (
            "When too few would hear",
            f"{Mark.URGENT} Too few hear: TikTok · fewer than two people",
        ),
        NoticeKind.DRILL_ESCALATED: (
            "During a fire drill",
            f"DRILL · {Mark.URGENT} Not confirmed: 3 of 8 people · client Acme",
        ),
        NoticeKind.DRILL_REPORT: (
            "After a fire drill",
            f"DRILL · {Mark.URGENT} Report: 5 of 8 people confirmed · client Acme",
        ),
    }
)
"""The same of what only administrators are told."""

RESTORED = f"{Mark.GOOD} Restored: {{account}} · client Acme · by Raj Patel, after 3 h 20 min"
"""How the message of a lapse begins later."""

_COMMON_CAUSES = (
    Verdict.CREDENTIAL_CHANGED,
    Verdict.EXPIRED,
    Verdict.REVOKED,
    Verdict.PERMISSION_MISSING,
    Verdict.ROLE_LOST,
    Verdict.ACCOUNT_MOVED,
)


async def overview(services: Services, asker: Asker, query: LapsedQuery, form: Arguments) -> Message:
    """What can be typed, in the asker's own form, and whom to ask. What only administrators may is told only them."""
    parts: list[Part] = [Heading(line(Bold("What you can type")))]
    told = [command for command in USAGES if command.name != LAPSE_ADMIN.name or is_administrator(asker.person)]
    parts += [part for command in told for part in _examples(command.here(services.networks), form)]
    parts.append(Text(support_line(asker.organization)))
    parts.append(_asks_whether_it_helped("help"))
    return Message(tuple(parts))


async def why(services: Services, asker: Asker, query: LapsedQuery, form: Arguments) -> Message:
    """What makes connections lapse, in general or at one network, and what notices look like."""
    spec = spec_of(services.networks, query.network) if query.network is not None else None
    parts: list[Part] = [Heading(line(Bold(f"Why {spec.name} connections lapse" if spec else "Why connections lapse")))]
    if spec is None:
        parts.append(
            text(
                "An account is read with a permission that somebody gave with their own login. It lapses when that "
                "login, their role or the permission changes. Logging in again mends most of it, in about a minute."
            )
        )
        terms = [
            f"{each.spec.name} every {each.spec.term.days} days"
            for each in services.networks.values()
            if each.spec.term
        ]
        if terms:
            parts.append(text(f"Some networks ask for a new login on a schedule: {listed(terms)}."))
    else:
        parts += _about(spec)
    causes = sorted(spec.causes.keys() & CLEAR_LAPSES) if spec is not None and spec.causes else _COMMON_CAUSES
    parts.append(Facts(tuple((cause_name(cause).capitalize(), line(_mending(spec, cause))) for cause in causes)))
    parts.append(Text(line(Bold("What you will be told"))))
    parts.append(Facts(_notices(services, asker, spec)))
    parts.append(Text(support_line(asker.organization)))
    parts.append(_asks_whether_it_helped("why"))
    return Message(tuple(parts))


async def feedback(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Count whether a help text helped."""
    topic, helped = arguments
    if topic not in TOPICS or helped not in ("yes", "no"):
        raise OutOfDate
    async with services.storage.transaction() as uow:
        await uow.audit.write(entry(asker, services.clock.now(), "help.rated", topic, helped=helped))
    if helped == "yes":
        return say("Thank you, noted.")
    return Message((text("Noted, and sorry."), Text(support_line(asker.organization))))


def _examples(command: Usage, form: Arguments) -> list[Part]:
    """A command, and each of its examples with what it does."""
    return [
        text(Bold(f"/{command.name}"), f" · {command.description}"),
        Facts(tuple((example.code(form).text, line(example.does)) for example in command.examples)),
    ]


def _about(spec: NetworkSpec) -> list[Part]:
    parts: list[Part] = []
    if spec.term is not None:
        every = number_of(spec.term.days, "day")
        what = f"for a new {spec.key_form.called}" if spec.key_form is not None else "everybody to log in again"
        parts.append(text(f"{spec.name} asks {what} every {every}, whatever they do."))
    if spec.permissions:
        labels = listed([permission.label for permission in spec.permissions])
        parts.append(text(f"On its page, leave these switched on: {labels}. Without them the account cannot be read."))
    login = f", with {spec.login_label}" if spec.kind is NetworkKind.OAUTH else ""
    parts.append(text(f"To reconnect, it takes {spec.reconnect_requirement}{login}."))
    return parts


def _mending(spec: NetworkSpec | None, cause: Verdict) -> str:
    words = cause_text(spec, cause)
    return " ".join(part for part in (words.happened, words.mend, words.not_helping) if part)


def _notices(services: Services, asker: Asker, spec: NetworkSpec | None) -> tuple[tuple[str, Line], ...]:
    """What a notice of each kind begins with, about an account that is made up; administrators are shown theirs too."""
    names = (network.spec.name for network in services.networks.values())
    account = f"{spec.name if spec is not None else min(names, default='Network')} · Acme EU"
    shown_to = {**EXAMPLES, **(ADMINISTRATORS_EXAMPLES if is_administrator(asker.person) else {})}
    told: list[tuple[str, Line]] = []
    for kind, (when, begins) in shown_to.items():
        told.append((when, line("“", *_filled(begins, account), "”")))
        if kind is NoticeKind.LAPSED:
            told.append(("The same message later", line("“", *_filled(RESTORED, account), "”")))
    return tuple(told)


def _filled(begins: str, account: str) -> Line:
    before, found, after = begins.partition("{account}")
    return line(before, Bold(account), after) if found else line(before)


def support_line(organization: Organization) -> Line:
    """Whom to ask when nothing else helps."""
    contact = organization.support_contact
    if contact is None:
        return line("Stuck? Ask an administrator of your organization.")
    return line(f"Stuck? Ask {shown(contact, 200)}.")


def _asks_whether_it_helped(topic: str) -> Buttons:
    return Buttons(
        (
            Button("This helped", feedback_action(topic, helped=True)),
            Button("It didn't", feedback_action(topic, helped=False)),
        )
    )
