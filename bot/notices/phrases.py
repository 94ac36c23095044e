"""Pieces of sentences that several notices share: an account, a login, a loss, a person who was told."""

from collections.abc import Sequence
from datetime import timedelta

from bot.notices.data import POSITION, TOTAL
from bot.notices.letter import Account, Entry, Letter, Login
from commands.causes import cause_name
from commands.drawing import ID_LIMIT, account_at, missing_data
from commands.messages import Bold, Code, Line, Mark, Moment, MomentStyle, Note, Row, Span, line
from commands.model import ConnectionView, Person, Verdict
from commands.ports.network import NetworkSpec
from commands.ports.notices import Part
from commands.wording import listed, named, number_of, shown

NAMED = 3
"""Clients or networks that a first line names; the rest are counted, so that it fits a phone's notification."""
SAME_TIME = timedelta(minutes=2)
"""Two looks closer than this are one time to a reader, who sees minutes."""
_REFUSED = 400  # RFC 9110: below this a status refuses nothing
ROWS = 10
"""Accounts that a notice lists; the rest are counted, and `/lapsed` has them all."""
PEOPLE_NAMED = 8
"""People that a sentence names."""
STILL_BEING_TOLD = timedelta(minutes=10)
"""A message takes seconds; somebody not reached after this long is no longer said to be being told."""


def title(letter: Letter) -> Line:
    """What a notice is about, for its first line: the account, or the login, and how many accounts (N-17)."""
    if len(letter.entries) == 1:
        return account(letter.entries[0].spec, letter.entries[0].view)
    count = number_of(len(letter.entries), "account")
    return line(Bold(subject(letter)), f" · {count} · {clients(letter.entries)}")


def several(accounts: Sequence[Account]) -> Line:
    """The same for accounts of which some may work."""
    if len(accounts) == 1:
        return account(accounts[0].spec, accounts[0].view)
    names = list(dict.fromkeys(one.spec.name for one in accounts))
    return line(Bold(networks(names)), f" · {number_of(len(accounts), 'account')} · {clients(accounts)}")


def networks(names: Sequence[str]) -> str:
    """Name networks, the first few of them: "Facebook, TikTok +2"."""
    more = f" +{len(names) - NAMED}" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def account(spec: NetworkSpec, view: ConnectionView) -> Line:
    """Network, account name, account id, client."""
    return account_at(spec.name, view)


def subject(letter: Letter) -> str:
    """The login that several accounts hang on, or, for several logins, the network or networks."""
    first, logins = letter.entries[0], {entry.lapse.authorization_id for entry in letter.entries}
    holder = login_name(first)
    if len(logins) == 1 and None not in logins and holder:
        return f"{first.spec.name} login of {holder}"
    return networks(list(dict.fromkeys(entry.spec.name for entry in letter.entries)))


def login_name(entry: Entry) -> str:
    """Who logged in, by the network's name for them, else by ours."""
    authorization, connector = entry.view.authorization, entry.view.connector
    if authorization is not None and authorization.id == entry.lapse.authorization_id:
        return shown(authorization.subject_name)
    return shown(connector.name) if connector is not None else ""


def clients(accounts: Sequence[Account]) -> str:
    """Name their clients: "client Acme", "clients Acme, Brio, Cato +3"."""
    names = list(dict.fromkeys(shown(one.view.client_name) for one in accounts))
    if len(names) == 1:
        return f"client {names[0]}"
    more = f" +{len(names) - NAMED}" if len(names) > NAMED else ""
    return f"clients {', '.join(names[:NAMED])}{more}"


def happened_when(entries: Sequence[Entry], subject: str) -> Line:
    """Between which two looks of ours it happened, as a sentence that begins with `subject`."""
    known = [entry.lapse.last_good_at for entry in entries if entry.lapse.last_good_at is not None]
    found = max(entry.lapse.opened_at for entry in entries)
    if known and found - min(known) < SAME_TIME:
        return line(f"{subject} ", Moment(found), ".")  # without "at": some platforms write "today at 14:00"
    if known and min(known) < found:
        return line(f"{subject} between ", Moment(min(known)), " and ", Moment(found), ".")
    return line(f"{subject} ", Moment(found), " or earlier.")


def losses(letter: Letter) -> Line:
    """What is lost meanwhile, since when, and how much hangs on it, as far as the reader may see (N-18)."""
    entries = letter.open
    also = tuple(entry for entry in letter.beside if entry.is_open)
    data = stopped(entries)
    since = min(entry.since for entry in entries)
    if len(entries) + len(also) == 1:
        return line("Missing since ", Moment(since), f": {data} of this account.")
    hanging = (*entries, *also)
    number = len({entry.view.connection.client_id for entry in hanging})
    count = f"{number_of(len(hanging), 'account')}, {number_of(number, 'client')}"
    names = listed([shown(entry.view.connection.account_name) for entry in also])
    tail = f". The same login also reads {names}." if also else "."
    return line("Missing since ", Moment(since), f": {data} of {count}{tail}")


def stopped(accounts: Sequence[Account]) -> str:
    """Which data stop while these cannot be read (N-18)."""
    kinds = {missing_data(one.spec) for one in accounts}
    if len(kinds) == 1:
        return kinds.pop()
    return listed(list(dict.fromkeys(what for one in accounts for what in one.spec.stops))) or "their data"


def telling(letter: Letter, person: Person) -> Line:
    """Whether somebody was told, after their name: "…, who was told 2 minutes ago"."""
    name = line(letter.mention(person.id, person.name), *reach(letter, person))
    at = letter.told.get(person.id)
    if letter.is_gone(person):
        return line(*name, ", who is no longer here")
    if at is not None:
        return line(*name, ", who was told ", Moment(at, MomentStyle.AGO))
    if letter.now - letter.notice.created_at < STILL_BEING_TOLD:
        return line(*name, ", who is being told now")
    return line(*name, ", who could not be reached so far")


def reach(letter: Letter, person: Person) -> Line:
    """An address in brackets, where the name leads to no chat account that this reader could write to (N-2)."""
    here = any(handle.platform == letter.platform for handle in letter.handles.get(person.id, ()))
    if letter.part is Part.CHANNEL or here or person.email is None or letter.is_gone(person):
        return ()
    return line(f" ({shown(person.email)})")


def people(letter: Letter, some: Sequence[Person]) -> Line:
    """Several people, as a list in words; the first ones by name."""
    spans: list[Span] = []
    for index, person in enumerate(some[:PEOPLE_NAMED]):
        last = index == len(some) - 1
        spans += line("" if index == 0 else " and " if last else ", ", letter.mention(person.id, person.name))
    more = len(some) - PEOPLE_NAMED
    return line(*spans, f" and {more} more") if more > 0 else tuple(spans)


def reason(entry: Entry) -> Line:
    """A few words on why an account does not work."""
    what = cause_name(entry.lapse.cause)
    missing = entry.lapse.evidence.missing
    if entry.lapse.cause is Verdict.PERMISSION_MISSING and missing:
        return line(f"{what}: {listed([shown(name) for name in missing])}")
    moved = entry.lapse.evidence.moved_to
    if entry.lapse.cause is Verdict.ACCOUNT_MOVED and moved is not None:
        return line(f"{what}: {shown(moved.name)} ", Code(shown(moved.id)))
    return line(what)


def row(entry: Entry, detail: Line, *, with_network: bool = False) -> Row:
    """One account of a list, without buttons."""
    connection = entry.view.connection
    network = f"{entry.spec.name} · " if with_network else ""
    name: Span = Bold(f"{network}{named(connection.account_name)}")
    place = line(" · ", Code(shown(connection.account_id, ID_LIMIT)), f" · {shown(entry.view.client_name)}")
    mark = Mark.LAPSED if entry.is_open else Mark.RETIRED if entry.is_retired else Mark.GOOD
    return Row(mark, (name, *place), detail)


def place(letter: Letter) -> list[Note]:
    """Which of several notices at once this is (N-4)."""
    position, total = letter.notice.data.get(POSITION), letter.notice.data.get(TOTAL)
    return [Note(line(f"Notice {position} of {total}"))] if position and total else []


def evidence(entry: Entry) -> Line:
    """What the network answered, for whoever wants to look it up; only figures, since names of codes are jargon."""
    seen = entry.lapse.evidence
    codes = [code for code in (seen.code, seen.subcode) if code is not None and code.isascii() and code.isdigit()]
    if codes:
        return line(f"{entry.spec.name} answered with ", Code("/".join(shown(code, ID_LIMIT) for code in codes)), ".")
    if seen.http_status is None or seen.http_status < _REFUSED:
        return ()  # it answered, and said no: the status tells nothing
    return line(f"{entry.spec.name} answered with status ", Code(str(seen.http_status)), ".")


def login_title(login: Login) -> Line:
    """A login, with what hangs on it, for a first line: the account itself where there is just one."""
    if len(login.accounts) == 1:
        return account(login.spec, login.accounts[0].view)
    name = Bold(login_label(login))
    if not login.accounts:
        return line(name)
    return line(name, f" · {number_of(len(login.accounts), 'account')} · {clients(login.accounts)}")


def login_label(login: Login) -> str:
    """Whose login at which network: "LinkedIn login of Ana Ruiz"."""
    return f"{login.spec.name} login of {named(login.authorization.subject_name)}"
