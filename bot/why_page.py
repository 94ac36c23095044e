"""The page “Why did my connection lapse?” in docs/, made of the networks' own declarations so that it cannot differ."""

from collections.abc import Iterable, Sequence

from commands.causes import cause_name, cause_text
from commands.model import CLEAR_LAPSES, RECONNECT_DOES_NOT_HELP, Verdict
from commands.ports.network import NetworkKind, NetworkSpec
from commands.wording import listed

_ORDER = tuple(verdict for verdict in Verdict if verdict in CLEAR_LAPSES)

_BEGINNING = """\
# Why did my connection lapse?

*Made by `lapsebot why` from the networks' declarations; change those, not this page.*

An account is read with a permission that somebody gave with their own login. It lapses when that login, that person's
role, the permission or the account itself changes. Logging in again mends most of it, in about a minute. The message
that you got names the cause; here is what each one means at each network, who can mend it, and what will not help.

## What is not a lapse

A network that does not answer, or that asks us to wait, has lapsed nothing: we wait, look again, and tell nobody to
reconnect. A fault of our own app goes to whoever operates lapsebot. A refusal without a reason is looked at three times
over a quarter of an hour before anybody is told; the message then says *refused without a reason*.
"""

_HEADINGS = "| what the message says | what happened | who can mend it, and how | what will not help |\n"
_RULE = "|---|---|---|---|\n"


def why_page(specs: Iterable[NetworkSpec]) -> str:
    """Write the page in Markdown, the networks by name."""
    ordered = sorted(specs, key=lambda spec: spec.name.casefold())
    return "\n".join([_BEGINNING, _overview(ordered), *map(_section, ordered)])


def _overview(specs: Sequence[NetworkSpec]) -> str:
    told = (
        "## What each network lets us distinguish\n\n"
        "What a network does not distinguish is still found, under the nearest of the other names, or as\n"
        "*refused without a reason*.\n\n"
    )
    rows = "".join(f"| **{cause_name(v)}** | {_told_by(specs, v)} |\n" for v in _ORDER if _told_by(specs, v))
    return f"{told}| what the message says | which networks say so |\n|---|---|\n{rows}"


def _told_by(specs: Sequence[NetworkSpec], verdict: Verdict) -> str:
    return ", ".join(spec.name for spec in specs if verdict in spec.detects)


def _section(spec: NetworkSpec) -> str:
    causes = [verdict for verdict in _ORDER if verdict in spec.detects]
    rows = "".join(_row(spec, verdict) for verdict in causes)
    return f"## {spec.name}\n\n{_about(spec)}\n\n{_HEADINGS}{_RULE}{rows}"


def _about(spec: NetworkSpec) -> str:
    said = [f"Read with {spec.login_label}. Reconnecting takes {spec.reconnect_requirement}."]
    if spec.term is not None:
        said.append(f"{spec.name} asks for a new login every {spec.term.days} days; you are warned before.")
    if spec.permissions and spec.kind is NetworkKind.OAUTH:
        labels = [f"“{permission.label}”" for permission in spec.permissions]
        said.append(f"Leave on: {listed(labels)}.")
    said.append(f"Meanwhile there is no new data for {listed(spec.stops)}.")
    return "\n".join(said)


def _row(spec: NetworkSpec, verdict: Verdict) -> str:
    words = cause_text(spec, verdict)
    not_helping = words.not_helping or ("Reconnecting." if verdict in RECONNECT_DOES_NOT_HELP else "")
    return f"| **{cause_name(verdict)}** | {words.happened} | {words.mend} | {not_helping} |\n"
