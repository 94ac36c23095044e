"""`/lapsed help` and `/lapsed why`: what can be typed, what makes connections lapse, and who helps (C-10)."""

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
    Plain,
    Text,
    line,
    say,
    text,
)
from commands.model import CLEAR_LAPSES, Organization, Verdict
from commands.parsing import Arguments
from commands.ports.network import NetworkSpec
from commands.usage import USAGES
from commands.wording import listed, number_of, shown

TOPICS = ("help", "why")
_COMMON_CAUSES = (
    Verdict.CREDENTIAL_CHANGED,
    Verdict.EXPIRED,
    Verdict.REVOKED,
    Verdict.PERMISSION_MISSING,
    Verdict.ROLE_LOST,
    Verdict.ACCOUNT_MOVED,
)


def overview(services: Services, asker: Asker, form: Arguments) -> Message:
    """What can be typed, in the asker's own form, and whom to ask."""
    parts: list[Part] = [Heading(line(Bold("What you can type")))]
    examples = [example for command in USAGES for example in command.here(services.networks).examples]
    parts += [text(example.code(form), f" · {example.does}") for example in examples]
    parts.append(Text(support_line(asker.organization)))
    parts.append(_asks_whether_it_helped("help"))
    return Message(tuple(parts))


def why(services: Services, asker: Asker, network: str | None) -> Message:
    """What makes connections lapse, in general or at one network, and what a notice of it looks like."""
    spec = spec_of(services.networks, network) if network is not None else None
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
    parts.append(Text(_example(services, spec)))
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


def _about(spec: NetworkSpec) -> list[Part]:
    parts: list[Part] = []
    if spec.term is not None:
        every = number_of(spec.term.days, "day")
        parts.append(text(f"{spec.name} asks everybody to log in again every {every}, whatever they do."))
    if spec.permissions:
        labels = listed([permission.label for permission in spec.permissions])
        parts.append(text(f"On its page, leave these switched on: {labels}. Without them the account cannot be read."))
    parts.append(text(f"To reconnect, it takes {spec.reconnect_requirement}, with {spec.login_label}."))
    return parts


def _mending(spec: NetworkSpec | None, cause: Verdict) -> str:
    words = cause_text(spec, cause)
    return " ".join(part for part in (words.happened, words.mend, words.not_helping) if part)


def _example(services: Services, spec: NetworkSpec | None) -> Line:
    """What a notice of a lapse, and the same notice later, look like."""
    name = spec.name if spec is not None else min((n.spec.name for n in services.networks.values()), default="Network")
    return line(
        "A notice looks like this: “",
        Plain(f"{Mark.LAPSED} Lapsed: "),
        Bold(f"{name} · Acme EU"),
        " · client Acme”, and once somebody has reconnected: “",
        Plain(f"{Mark.GOOD} Restored: "),
        Bold(f"{name} · Acme EU"),
        " · by Ana Ruiz, after 20 min”.",
    )


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
