"""How a connection, a person and a stretch of time are shown: one drawing for lists, details and notices (C-12, N-17).

Every name that came from outside is cleaned and shortened here, and stands in a typed span.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from commands.causes import cause_name, lapse_text
from commands.ids import PersonId
from commands.messages import (
    AnyButton,
    Bold,
    Button,
    Code,
    Handle,
    Line,
    Mark,
    Mention,
    Moment,
    MomentStyle,
    Plain,
    Row,
    Span,
    line,
)
from commands.model import ConnectionState, ConnectionView, Identity, Person, Verdict
from commands.ports.network import NetworkKind, Networks, NetworkSpec
from commands.wording import Sentence, listed, named, shown

EXPIRING_WITHIN = timedelta(days=14)
"""How far ahead an authorization's end is marked: the first of the warnings (D-2)."""

RENEWABLE_WITHIN = timedelta(days=90)
"""How far ahead of its end an authorization may be renewed, so that one sitting renews all that is due (X-7)."""

ID_LIMIT = 64  # characters of an account's id; the networks' own have at most some 30
Identities = Mapping[PersonId, tuple[Identity, ...]]


def spec_of(networks: Networks, slug: str) -> NetworkSpec | None:
    """The declaration of a network; None where it has no credentials here any more."""
    network = networks.get(slug)
    return network.spec if network else None


def network_name(networks: Networks, slug: str) -> str:
    """A network's name to people."""
    spec = spec_of(networks, slug)
    return spec.name if spec else slug.replace("_", " ").capitalize()


def mention(person: Person, identities: Identities | None = None) -> Mention:
    """A person as a link to their chat account, where one is known, else as their name."""
    accounts = (identities or {}).get(person.id, ())
    handles = tuple(Handle(account.platform, account.tenant, account.user) for account in accounts)
    return Mention(named(person.name), handles)


def account_title(view: ConnectionView, networks: Networks) -> Line:
    """Network, account and client: what a row is headed with."""
    connection = view.connection
    return line(
        f"{network_name(networks, connection.network)} · ",
        Bold(named(connection.account_name)),
        f" · {shown(view.client_name)}",
    )


def account_line(view: ConnectionView, networks: Networks) -> Line:
    """Network, account, account id and client: the first line of details (N-17)."""
    return account_at(network_name(networks, view.connection.network), view)


def account_at(network: str, view: ConnectionView) -> Line:
    """The same, where the network's name is known: the first line of a notice."""
    connection = view.connection
    return line(
        Bold(f"{network} · {named(connection.account_name)}"),
        " · ",
        Code(shown(connection.account_id, ID_LIMIT)),
        f" · client {shown(view.client_name)}",
    )


def ends_soon(view: ConnectionView, now: datetime) -> datetime | None:
    """When the authorization of an active connection ends, if that is within 14 days."""
    return _ends_before(view, now + EXPIRING_WITHIN)


def renewable_until(view: ConnectionView, now: datetime) -> datetime | None:
    """When the authorization of an active connection ends, if it may be renewed already (X-7)."""
    return _ends_before(view, now + RENEWABLE_WITHIN)


def _ends_before(view: ConnectionView, limit: datetime) -> datetime | None:
    if view.connection.state is not ConnectionState.ACTIVE or view.authorization is None:
        return None
    end = view.authorization.ends_at
    return end if end is not None and end <= limit else None


def term_is_over(view: ConnectionView) -> bool:
    """Whether the open lapse is there because the consent's term is over (C-12: it carries the clock as well)."""
    lapse = view.open_lapse
    if lapse is None or lapse.cause is not Verdict.EXPIRED or view.authorization is None:
        return False
    return view.authorization.ends_at is not None and view.authorization.ends_at <= lapse.opened_at


def mark_of(view: ConnectionView, now: datetime) -> Mark:
    """The mark of a connection's state; its word is in `state_line`."""
    match view.connection.state:
        case ConnectionState.RETIRED:
            return Mark.RETIRED
        case ConnectionState.ACTIVE:
            return Mark.EXPIRING if ends_soon(view, now) else Mark.GOOD
        case ConnectionState.LAPSED | ConnectionState.UNCONNECTED if view.reconnecting_by is not None:
            return Mark.RECONNECTING
        case ConnectionState.LAPSED:
            return Mark.LAPSED
        case ConnectionState.UNCONNECTED:
            return Mark.UNCONNECTED


def state_words(view: ConnectionView, now: datetime) -> Sentence:
    """The state in words, with its time and cause: "lapsed since Mon 14:00 · password changed"."""
    connection, lapse = view.connection, view.open_lapse
    match connection.state:
        case ConnectionState.RETIRED:
            return Sentence("retired")
        case ConnectionState.UNCONNECTED:
            return Sentence("not connected yet")
        case ConnectionState.LAPSED:
            if lapse is None:
                return Sentence("lapsed")
            why = Sentence("term over") if term_is_over(view) else Sentence(cause_name(lapse.cause))
            return Sentence("lapsed since {when} · {why}", when=Moment(lapse.opened_at), why=why)
        case ConnectionState.ACTIVE:
            end = ends_soon(view, now)
            return Sentence("expires {day}", day=Moment(end, MomentStyle.DAY)) if end else Sentence("active")


def state_line(view: ConnectionView, now: datetime) -> Line:
    """The same for a message, where a term that is over has its mark."""
    said = state_words(view, now).line()
    if view.connection.state is ConnectionState.LAPSED and term_is_over(view):
        return (*said[:-1], Plain(f"{Mark.EXPIRING} "), *said[-1:])
    return said


def reconnect_label(spec: NetworkSpec | None, login: str = "Reconnect") -> str:
    """What a button to mend an account says; `login`: where that takes a login."""
    return "Enter key" if spec is not None and spec.kind is NetworkKind.API_KEY else login


def way_to_mend(spec: NetworkSpec) -> str:
    """How an account is mended, as the end of a sentence: "by logging in with …"."""
    if spec.key_form is not None:
        return f"by entering a new {spec.key_form.called}"
    if spec.own_page is not None:
        return f"in {spec.own_page.product}, which keeps the connection"
    return f"by logging in with {spec.login_label}"


def mending_label(view: ConnectionView, networks: Networks, now: datetime) -> str | None:
    """What the connection needs, as a button says it; None while it needs nothing."""
    spec = spec_of(networks, view.connection.network)
    match view.connection.state:
        case ConnectionState.LAPSED:
            return reconnect_label(spec)
        case ConnectionState.UNCONNECTED:
            return reconnect_label(spec, "Connect")
        case ConnectionState.ACTIVE:
            return reconnect_label(spec, "Renew") if ends_soon(view, now) else None
        case ConnectionState.RETIRED:
            return None


def last_seen_working(view: ConnectionView) -> datetime | None:
    """When a check last found it working: its own last good check, or its authorization's while it works."""
    lapse = view.open_lapse
    if lapse is not None:
        return lapse.last_good_at
    own, shared = view.connection.last_good_at, view.authorization.last_good_at if view.authorization else None
    if view.connection.state is not ConnectionState.ACTIVE or shared is None:
        return own
    return max(own, shared) if own is not None else shared


def who_is_at_it(view: ConnectionView, now: datetime) -> str:
    """Who is reconnecting, or has claimed it; else who connected or owns it; empty where nobody is known."""
    if view.reconnecting_by is not None:
        return f"{Mark.RECONNECTING} {shown(view.reconnecting_by)} is reconnecting it"
    if view.standing_claim(now) is not None:
        return f"{Mark.CLAIMED} {shown(view.claimant_name or 'somebody')} is on it"
    person = view.connector or view.owner
    return shown(person.name) if person is not None else ""


def connection_row(
    view: ConnectionView,
    networks: Networks,
    now: datetime,
    *,
    button: AnyButton | None = None,
    details: Button | None = None,
    new_since: datetime | None = None,
) -> Row:
    """One connection of a list; a lapse that opened after `new_since` is marked as new (N-7)."""
    who, lapse = who_is_at_it(view, now), view.open_lapse
    is_new = new_since is not None and lapse is not None and lapse.opened_at > new_since
    marked = line(Bold("new"), " · ") if is_new else ()
    detail = (*marked, *state_line(view, now), *line(*([f" · {who}"] if who else [])))
    return Row(mark_of(view, now), account_title(view, networks), detail, button, details)


def what_happened(view: ConnectionView, networks: Networks) -> Line:
    """Why the open lapse is there, and what is missing since when (N-18); empty while there is none."""
    lapse = view.open_lapse
    if lapse is None:
        return ()
    spec = spec_of(networks, view.connection.network)
    since = Moment(lapse.last_good_at or lapse.opened_at)
    return line(f"{lapse_text(spec, lapse).happened} Missing since ", since, f": {missing_data(spec)}.")


def missing_data(spec: NetworkSpec | None) -> str:
    """What stops while an account cannot be read, in words (N-18)."""
    return listed(spec.stops) if spec is not None and spec.stops else "its data"


def separated(parts: Sequence[Sequence[Span]], by: str = " · ") -> Line:
    """Join lines with a separator."""
    spans: list[Span] = []
    for index, part in enumerate(parts):
        spans += [Plain(by), *part] if index else part
    return tuple(spans)
