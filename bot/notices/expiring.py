"""The words for logins whose known end comes near: what the network demands, when, and that nothing is broken (D-2)."""

from collections.abc import Sequence
from datetime import timedelta

from bot.notices.buttons import arranged, details_buttons, list_button
from bot.notices.data import DAYS, MORE, number_in
from bot.notices.letter import PERSONAL, Account, Letter, Login
from bot.notices.phrases import ROWS, account, clients, login_title, networks, place, stopped
from commands.access import may_reconnect
from commands.actions import ListView, StateFilter
from commands.drawing import way_to_mend
from commands.messages import (
    AnyButton,
    Bold,
    Button,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    MomentStyle,
    Part,
    Row,
    Rows,
    Text,
    Tone,
    line,
    text,
)
from commands.model import Person
from commands.ports.notices import Part as ReaderPart
from commands.wording import number_of

RENEW = "Renew"


def expiring(letter: Letter) -> Message:
    """Warn that logins end soon; green once they are renewed."""
    ending = [login for login in letter.logins if not login.renewed]
    if not ending:
        return _renewed(letter)
    when = _when(letter)
    parts = _one(letter, ending[0], when) if len(letter.logins) == 1 else _several(letter, ending, when)
    return Message(tuple(parts), Tone.HELD)


def _one(letter: Letter, login: Login, when: str) -> list[Part]:
    single = len(login.accounts) == 1
    menu = [
        *(details_buttons(login.accounts[0]) if single else []),
        *([] if single else expiring_list(login.spec.slug)),
    ]
    renew = renew_button(letter, login)
    return [
        Heading(line(f"{Mark.EXPIRING} {when}: ", *login_title(login))),
        Text(_demand(login)),
        *_whose(letter, login),
        text(*_ask(letter, login), *_stakes(login.accounts)),
        *([] if single else [_account_rows(login)]),
        *arranged([renew] if renew is not None else [], menu),
        *place(letter),
    ]


def _several(letter: Letter, ending: Sequence[Login], when: str) -> list[Part]:
    names = list(dict.fromkeys(login.spec.name for login in letter.logins))
    accounts = [account for login in ending for account in login.accounts]
    more = number_in(letter.notice, MORE)
    count = number_of(len(letter.logins) + more, "login")
    slugs = {login.spec.slug for login in letter.logins}
    return [
        Heading(line(f"{Mark.EXPIRING} {when}: ", Bold(networks(names)), f" · {count} · {clients(accounts)}")),
        text(f"{_demanding(letter.logins)}. Nothing is broken, and nobody did anything wrong."),
        login_rows(letter, letter.logins, more=more),
        text("Renewing takes about a minute each, and nothing stops meanwhile.", *_stakes(accounts)),
        *arranged(expiring_list(slugs.pop() if len(slugs) == 1 else None), ()),
        *place(letter),
    ]


def _renewed(letter: Letter) -> Message:
    """Somebody renewed everything that the notice warned of: green, who, until when; no buttons."""
    if len(letter.logins) > 1:
        names = list(dict.fromkeys(login.spec.name for login in letter.logins))
        head = line(f"{Mark.GOOD} Renewed: ", Bold(networks(names)), f" · all {len(letter.logins)} logins")
        return Message((Heading(head), text("Nothing stopped. Nothing to do.")), Tone.GOOD)
    (login,) = letter.logins
    head = line(f"{Mark.GOOD} Renewed: ", *login_title(login), *_by(letter, login))
    end = login.authorization.ends_at
    until: Line = line(" It is good until ", Moment(end, MomentStyle.DAY), ".") if end and login.accounts else ()
    return Message((Heading(head), text("Nothing stopped.", *until, " Nothing to do.")), Tone.GOOD)


def _by(letter: Letter, login: Login) -> Line:
    """Who consented anew, where it was this login's own connector."""
    connector = login.accounts[0].view.connector if login.accounts else None
    if connector is None or login.authorization.obtained_at <= letter.notice.created_at:
        return ()
    who = "you" if letter.is_reader(connector.id) else letter.mention(connector.id, connector.name)
    return line(" · by ", who)


def _when(letter: Letter) -> str:
    """How soon the first of them ends, as it was when the notice was written."""
    ends = [login.authorization.ends_at for login in letter.logins if not login.renewed]
    if all(end is not None and end <= letter.now for end in ends):
        return "Expired"
    days = number_in(letter.notice, DAYS)
    return "Expiring today" if days < 1 else "Expiring tomorrow" if days == 1 else f"Expiring in {days} days"


def _demand(login: Login) -> Line:
    """That the network demands it, and how often, so that nobody looks for a fault (D-2)."""
    end = login.authorization.ends_at
    this: Line = line("; this one ends ", Moment(end, MomentStyle.DAY)) if end is not None else ()
    return line(_demanding([login]), *this, ". Nothing is broken, and nobody did anything wrong.")


def _demanding(logins: Sequence[Login]) -> str:
    """Who demands it, and how often: "LinkedIn asks for a fresh login every 60 days"."""
    said = []
    for spec in {login.spec.slug: login.spec for login in logins}.values():
        often = f"every {_span(spec.term)}" if spec.term else "from time to time"
        what = f"a fresh {spec.key_form.called}" if spec.key_form is not None else "a fresh login"
        said.append(f"{spec.name} asks for {what} {often}")
    return ", ".join(said)


def _span(term: timedelta) -> str:
    return "year" if term.days == 365 else number_of(term.days, "day")


def _whose(letter: Letter, login: Login) -> list[Text]:
    """For everybody but the connector: whose login it is."""
    people: dict[object, Person] = {
        one.view.connector.id: one.view.connector for one in login.accounts if one.view.connector is not None
    }
    if letter.part is ReaderPart.CONNECTOR or len(people) != 1:
        return []
    (connector,) = people.values()
    if letter.part is ReaderPart.STAND_IN and letter.is_gone(connector):
        who = letter.mention(connector.id, connector.name)
        return [text(who, ", who connected it, is no longer here; you can take over.")]
    return [text("Connected by ", letter.mention(connector.id, connector.name), ", who is asked to renew it.")]


def _ask(letter: Letter, login: Login) -> Line:
    if letter.part in PERSONAL:
        return line(f"You can renew it now, in about a minute, {way_to_mend(login.spec)}.")
    return line("Renewing takes about a minute, and nothing stops meanwhile.")


def _stakes(accounts: Sequence[Account]) -> Line:
    """What would be lost (N-18)."""
    if len(accounts) == 1:
        return line(f" If it ends: no more {stopped(accounts)} of this account.")
    number = len({one.view.connection.client_id for one in accounts})
    count = f"{number_of(len(accounts), 'account')}, {number_of(number, 'client')}"
    return line(f" If it ends: no more {stopped(accounts)} of {count}.")


def _account_rows(login: Login) -> Rows:
    rows = tuple(Row(Mark.EXPIRING, account(one.spec, one.view)) for one in login.accounts[:ROWS])
    return Rows(rows, max(0, len(login.accounts) - ROWS))


def login_rows(letter: Letter, logins: Sequence[Login], *, more: int = 0, most: int = ROWS) -> Rows:
    """One row for each login, with its end and its own Renew; green where it was renewed."""
    rows = tuple(_login_row(letter, login) for login in logins[:most])
    return Rows(rows, more + max(0, len(logins) - most))


def _login_row(letter: Letter, login: Login) -> Row:
    if login.renewed:
        return Row(Mark.GOOD, login_title(login), line("renewed"))
    end = login.authorization.ends_at
    detail: Line = line("expires ", Moment(end, MomentStyle.DAY)) if end is not None else line("expires soon")
    return Row(Mark.EXPIRING, login_title(login), detail, renew_button(letter, login))


def renew_button(letter: Letter, login: Login) -> AnyButton | None:
    """Renew, through the first account for which this reader may."""
    offered = next((one for one in login.accounts if may_reconnect(letter.reader, one.view).allowed), None)
    return letter.reconnect_button(offered, RENEW) if offered is not None else None


def expiring_list(network: str | None) -> list[Button]:
    """The list of what expires soon."""
    return list_button("All that expire soon", ListView(state=StateFilter.EXPIRING, network=network))
