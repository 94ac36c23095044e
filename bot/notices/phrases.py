"""Pieces of sentences that several notices share: an account, a login, a loss, a person who was told."""

from collections.abc import Sequence
from datetime import timedelta

from bot.notices.letter import Entry, Letter
from commands.causes import cause_name
from commands.drawing import ID_LIMIT, missing_data
from commands.messages import Bold, Code, Line, Mark, Moment, MomentStyle, Row, Span, line
from commands.model import ConnectionView, Person, Verdict
from commands.ports.network import NetworkSpec
from commands.wording import listed, named, number_of, shown

CLIENTS_NAMED = 3
"""Clients that a first line names; the rest are counted, so that the line fits a phone's notification."""
SAME_TIME = timedelta(minutes=2)
"""Two looks closer than this are one time to a reader, who sees minutes."""
ROWS = 10
"""Accounts that a notice lists; the rest are counted, and `/lapsed` has them all."""
STILL_BEING_TOLD = timedelta(minutes=10)
"""A message takes seconds; somebody not reached after this long is no longer said to be being told."""


def title(letter: Letter) -> Line:
    """What a notice is about, for its first line: the account, or the login, and how many accounts (N-17)."""
    if len(letter.entries) == 1:
        return account(letter.entries[0].spec, letter.entries[0].view)
    count = number_of(len(letter.entries), "account")
    return line(Bold(subject(letter)), f" · {count} · {clients(letter.entries)}")


def account(spec: NetworkSpec, view: ConnectionView) -> Line:
    """Network, account name, account id, client."""
    connection = view.connection
    return line(
        Bold(f"{spec.name} · {named(connection.account_name)}"),
        " · ",
        Code(shown(connection.account_id, ID_LIMIT)),
        f" · client {shown(view.client_name)}",
    )


def subject(letter: Letter) -> str:
    """The login that several accounts hang on, or, for several logins, the network."""
    spec, logins = letter.entries[0].spec, {entry.lapse.authorization_id for entry in letter.entries}
    holder = login_name(letter.entries[0])
    return f"{spec.name} login of {holder}" if len(logins) == 1 and None not in logins and holder else spec.name


def login_name(entry: Entry) -> str:
    """Who logged in, by the network's name for them, else by ours."""
    authorization, connector = entry.view.authorization, entry.view.connector
    if authorization is not None and authorization.id == entry.lapse.authorization_id:
        return shown(authorization.subject_name)
    return shown(connector.name) if connector is not None else ""


def clients(entries: Sequence[Entry]) -> str:
    """Name their clients: "client Acme", "clients Acme, Brio, Cato +3"."""
    names = list(dict.fromkeys(shown(entry.view.client_name) for entry in entries))
    if len(names) == 1:
        return f"client {names[0]}"
    more = f" +{len(names) - CLIENTS_NAMED}" if len(names) > CLIENTS_NAMED else ""
    return f"clients {', '.join(names[:CLIENTS_NAMED])}{more}"


def happened_when(entries: Sequence[Entry], subject: str) -> Line:
    """Between which two looks of ours it happened, as a sentence that begins with `subject`."""
    known = [entry.lapse.last_good_at for entry in entries if entry.lapse.last_good_at is not None]
    found = max(entry.lapse.opened_at for entry in entries)
    if known and found - min(known) < SAME_TIME:
        return line(f"{subject} at ", Moment(found), ".")
    if known and min(known) < found:
        return line(f"{subject} between ", Moment(min(known)), " and ", Moment(found), ".")
    return line(f"{subject} at ", Moment(found), " or before.")


def losses(letter: Letter) -> Line:
    """What is lost meanwhile, since when, and how much hangs on it, as far as the reader may see (N-18)."""
    entries = letter.open
    also = tuple(entry for entry in letter.beside if entry.is_open)
    data = missing_data(entries[0].spec)
    since = min(entry.since for entry in entries)
    if len(entries) + len(also) == 1:
        return line("Missing since ", Moment(since), f": {data} of this account.")
    hanging = (*entries, *also)
    number = len({entry.view.connection.client_id for entry in hanging})
    count = f"{number_of(len(hanging), 'account')}, {number_of(number, 'client')}"
    names = listed([shown(entry.view.connection.account_name) for entry in also])
    tail = f". The same login also reads {names}." if also else "."
    return line("Missing since ", Moment(since), f": {data} of {count}{tail}")


def telling(letter: Letter, person: Person) -> Line:
    """Whether somebody was told, after their name: "…, who was told 2 minutes ago"."""
    name = letter.mention(person.id, person.name)
    at = letter.told.get(person.id)
    if person.left_at is not None:
        return line(name, ", who is no longer here")
    if at is not None:
        return line(name, ", who was told ", Moment(at, MomentStyle.AGO))
    if letter.now - letter.notice.created_at < STILL_BEING_TOLD:
        return line(name, ", who is being told now")
    return line(name, ", who could not be reached so far")


def reason(entry: Entry) -> Line:
    """A few words on why an account does not work."""
    what = cause_name(entry.lapse.cause)
    missing = entry.lapse.evidence.missing
    if entry.lapse.cause is Verdict.PERMISSION_MISSING and missing:
        return line(f"{what}: {listed(missing)}")
    moved = entry.lapse.evidence.moved_to
    if entry.lapse.cause is Verdict.ACCOUNT_MOVED and moved is not None:
        return line(f"{what}: {shown(moved.name)} ", Code(shown(moved.id)))
    return line(what)


def row(entry: Entry, detail: Line) -> Row:
    """One account of a list, without buttons."""
    connection = entry.view.connection
    name: Span = Bold(named(connection.account_name))
    place = line(" · ", Code(shown(connection.account_id, ID_LIMIT)), f" · {shown(entry.view.client_name)}")
    mark = Mark.LAPSED if entry.is_open else Mark.RETIRED if entry.is_retired else Mark.GOOD
    return Row(mark, (name, *place), detail)
