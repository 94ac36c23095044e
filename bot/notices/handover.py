"""The words for accounts that pass to other people: transferred, somebody's own page of them, somebody who is gone."""

from collections import Counter
from collections.abc import Iterable

from bot.notices.buttons import arranged, list_button
from bot.notices.data import BY, HOW, LEFT, MORE, WELCOME, number_in
from bot.notices.letter import Account, Letter
from bot.notices.phrases import ROWS, account, clients, several
from commands.access import is_administrator, may_reconnect
from commands.actions import ListView, StateFilter, details_action
from commands.messages import (
    AnyButton,
    Bold,
    Button,
    Code,
    Facts,
    Heading,
    Line,
    LinkButton,
    Mark,
    Message,
    Note,
    Part,
    Row,
    Rows,
    Style,
    Text,
    Tone,
    line,
    text,
)
from commands.model import NEEDS_CONNECTING, ConnectionState, Person
from commands.ports.notices import Part as ReaderPart
from commands.wording import named, number_of, shown

_MARKS = {
    ConnectionState.ACTIVE: Mark.GOOD,
    ConnectionState.LAPSED: Mark.LAPSED,
    ConnectionState.UNCONNECTED: Mark.UNCONNECTED,
    ConnectionState.RETIRED: Mark.RETIRED,
}
_STATES = {
    ConnectionState.ACTIVE: "works",
    ConnectionState.LAPSED: "lapsed",
    ConnectionState.UNCONNECTED: "not connected yet",
    ConnectionState.RETIRED: "retired",
}
_FACTS = 12  # logins listed of somebody who is gone


def transferred(letter: Letter) -> Message:
    """Tell somebody that accounts are theirs now."""
    accounts, more = letter.accounts, number_in(letter.notice, MORE)
    total = len(accounts) + more
    if total == 1:
        head = line(f"{Mark.CLAIMED} Yours now: ", *account(accounts[0].spec, accounts[0].view))
    else:
        head = line(f"{Mark.CLAIMED} Yours now: ", Bold(number_of(total, "account")), f" · {clients(accounts)}")
    by = letter.notice.data.get(BY)
    what = "this account: you hear when it stops" if total == 1 else "these accounts: you hear when one stops"
    needing = [one for one in accounts if one.view.connection.state in NEEDS_CONNECTING]
    parts: list[Part] = [
        Heading(head),
        text(Bold(named(by or "An administrator")), f" made you the owner of {what} working."),
    ]
    if needing and total == 1:
        parts.append(text(f"It is {_STATES[needing[0].view.connection.state]}: please connect it."))
    elif needing:
        verb = "needs" if len(needing) == 1 else "need"
        parts.append(text(f"{len(needing):,} of them {verb} connecting now."))
    if total > 1:
        first = (*needing, *(one for one in accounts if one not in needing))
        rows = tuple(_row(letter, one) for one in first[:ROWS])
        parts.append(Rows(rows, total - len(rows)))
    return Message(
        (*parts, *_own_ways(letter, needing if total == 1 else [])), Tone.ACTION if needing else Tone.NEUTRAL
    )


def _row(letter: Letter, one: Account) -> Row:
    state = one.view.connection.state
    button = _connect(letter, one) if state in NEEDS_CONNECTING else None
    details = Button("Details", details_action(one.view.connection.id))
    return Row(_MARKS[state], several([one]), line(_STATES[state]), button, details)


def _connect(letter: Letter, one: Account) -> AnyButton | None:
    if not may_reconnect(letter.reader, one.view).allowed:
        return None
    is_new = one.view.connection.state is ConnectionState.UNCONNECTED
    return letter.reconnect_button(one, "Connect" if is_new else "Reconnect")


def _own_ways(letter: Letter, needing: list[Account]) -> list[Part]:
    connect = [button for one in needing if (button := _connect(letter, one)) is not None]
    if letter.page_url:
        return [*arranged([*connect, LinkButton("Your accounts", letter.page_url)], ())]
    return [*arranged([*connect, *list_button("Your accounts", ListView(state=StateFilter.ALL, mine=True))], ())]


def personal_link(letter: Letter) -> Message:
    """Give somebody the address of the page with their accounts (R-13)."""
    by = letter.notice.data.get(BY)
    sender: Line = line(Bold(named(by)), " sends you") if by else line("Here is")
    which = "a link to the accounts that you own"
    if WELCOME in letter.notice.data:  # nobody has told them yet what this is about
        why = "You were named as the owner of accounts whose data we read, and you hear when one stops working."
        sender, which = line(f"{why} Here is"), "a link to them"
    head = Heading(line(f"{Mark.CLAIMED} Your accounts: a page of your own to see and reconnect them"))
    if not letter.page_url:  # it was planned for an account that is not proved, or is gone since
        shown_here = list_button("Your accounts", ListView(state=StateFilter.ALL, mine=True))
        return Message((head, text("Sign in with your chat account to see them."), *arranged(shown_here, ())))
    return Message(
        (
            head,
            text(*sender, f" {which}. It works without signing in, for 7 days."),
            *arranged([LinkButton("Your accounts", letter.page_url, Style.PRIMARY)], ()),
            Note(line("The link is yours alone: do not pass it on. It works in the first browser that you use it in.")),
        )
    )


def succession(letter: Letter) -> Message:
    """Say what hangs on somebody who is gone, before it lapses, and ask who takes it over (X-6, A-5)."""
    (gone,) = letter.whom[:1]
    total = sum(number for hanging in letter.hanging for _, number in hanging.clients)
    if not total and not letter.owned:
        head = line(f"{Mark.GOOD} Taken over: nothing depends on ", Bold(named(gone.name)), " any more")
        return Message((Heading(head), text("Nothing to do.")), Tone.GOOD)
    whose_list = ListView(state=StateFilter.ALL, person_id=gone.id)
    parts: list[Part] = [
        Heading(_succession_head(letter, gone, total)),
        text(_how(letter, gone), _what_hangs(letter, total)),
        _hanging(letter),
        *_who_takes_over(letter, gone),
        *arranged([] if letter.unseen else list_button(f"List of {named(gone.name)}", whose_list), ()),
    ]
    return Message(tuple(parts), Tone.ACTION)


def _succession_head(letter: Letter, gone: Person, total: int) -> Line:
    """What is needed: a new login where accounts hang on theirs, else a new owner."""
    who = f"{named(gone.name)}, who {_is_gone(letter)}"
    if not total:
        owned = Bold(number_of(letter.owned_number, "account"))
        return line(f"{Mark.URGENT} Needs a new owner: ", owned, f" · owned by {who}")
    count = Bold(number_of(total, "account"))
    return line(f"{Mark.URGENT} Needs a new login: ", count, f" · {_clients(letter)} · connected by {who}")


def _what_hangs(letter: Letter, total: int) -> str:
    hang, owned = "depends" if total == 1 else "depend", f" They own {number_of(letter.owned_number, 'account')}."
    logins = f" {number_of(total, 'account')} {hang} on logins of theirs, which may end any day." if total else ""
    return f"{logins}{owned if letter.owned else ''}"


def _is_gone(letter: Letter) -> str:
    return "is leaving" if letter.notice.data.get(HOW) == LEFT else "is gone"


def _how(letter: Letter, gone: Person) -> str:
    name = named(gone.name)
    return (
        f"{name} is leaving." if letter.notice.data.get(HOW) == LEFT else f"The chat account of {name} is deactivated."
    )


def _clients(letter: Letter) -> str:
    """How many accounts of each client, the most first."""
    counted: dict[str, int] = {}
    for hanging in letter.hanging:
        for client, number in hanging.clients:
            counted[client] = counted.get(client, 0) + number
    most = sorted(counted.items(), key=lambda item: (-item[1], item[0].casefold()))
    more = f" +{len(most) - 3}" if len(most) > 3 else ""
    word = "client" if len(most) == 1 else "clients"
    return f"{word} {', '.join(f'{shown(name)} {number:,}' for name, number in most[:3])}{more}"


def _hanging(letter: Letter) -> Facts:
    """Each login, and what is owned on each network, with a number for each client."""
    items: list[tuple[str, Line]] = []
    for hanging in letter.hanging[:_FACTS]:
        network = _network(letter, hanging.authorization.network)
        label = f"{network} ({shown(hanging.authorization.subject_name, 40)})"
        items.append((label, _by_client(hanging.clients)))
    more = letter.hanging[_FACTS:]
    if more:
        left = sum(number for hanging in more for _, number in hanging.clients)
        items.append((f"{number_of(len(more), 'more login')}", line(number_of(left, "account"))))
    owned: dict[str, Counter[str]] = {}
    for one in letter.owned:
        owned.setdefault(one.network, Counter())[letter.clients.get(one.client_id, "another client")] += one.number
    for slug, numbers in sorted(owned.items()):
        items.append((f"{_network(letter, slug)}, owned", _by_client(numbers.most_common())))
    return Facts(tuple(items))


def _network(letter: Letter, slug: str) -> str:
    return letter.network_names.get(slug, slug)


def _by_client(numbers: Iterable[tuple[str, int]]) -> Line:
    return line(" · ".join(f"{shown(name)} {number:,}" for name, number in numbers))


def _who_takes_over(letter: Letter, gone: Person) -> list[Text]:
    """What the deputy is asked, and what administrators can do."""
    if letter.part is ReaderPart.STAND_IN and not is_administrator(letter.reader):
        return [text(f"You are {named(gone.name)}'s deputy: please take them over.", *_rights(letter))]
    deputy = letter.people.get(gone.deputy_id) if gone.deputy_id is not None else None
    asked: Line = (
        line("Their deputy ", letter.mention(deputy.id, deputy.name), " is asked to take them over. ")
        if deputy is not None
        else line("Nobody is named as their deputy: ", Code("/lapse-admin leaves"), " names one. ")
    )
    return [text(*asked, Code("/lapse-admin transfer"), " gives accounts to another owner.")]


def _rights(letter: Letter) -> Line:
    """Whom a deputy asks who may not see all of it yet."""
    if not letter.unseen:
        return ()
    somebody: Line = line("an administrator")
    if letter.to_ask is not None:
        somebody = line(letter.mention(letter.to_ask.id, letter.to_ask.name))
    return line(" Not all of them are yours to see yet: ask ", *somebody, " to make you their owner.")
