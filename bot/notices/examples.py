"""One message of every kind, for every part and state, from made-up facts: for `preview`, docs and tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from bot.notices import data as names
from bot.notices.example_facts import (
    ANA,
    CLIENTS,
    FACEBOOK,
    LEE,
    LINKEDIN,
    MEI,
    NOW,
    OTTO,
    PLACES,
    RAJ,
    SNAPCHAT,
    TIKTOK,
    account,
    authorization,
    claimed,
    disabled,
    ended,
    ending,
    entry,
    keyed,
    letter,
    moved,
    noted,
    reported,
    unticked,
)
from bot.notices.letter import Entry, Failing, Login
from bot.notices.wording import PARTS, write
from commands.ids import ClientId, LapseId, OutageId, PersonId
from commands.messages import Message
from commands.model import ConnectionState, Evidence, LapseEnd, Mute, Person, Verdict
from commands.ports.connections import Answerable, Hanging
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind, Part
from commands.ports.outages import Outage

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A notice's message, and what it is an example of."""

    kind: NoticeKind
    part: Part
    state: str
    """What became of it, or what is special; empty for the plain case."""
    message: Message

    @property
    def name(self) -> str:
        """Its name: "reminder, the last: connector"."""
        state = f", {self.state}" if self.state else ""
        return f"{self.kind.value}{state}: {self.part.value}"


def examples() -> Sequence[Example]:
    """Every example, kind by kind."""
    return [
        *_lapses(),
        *_reminders(),
        *_digests(),
        *_warnings(),
        *_requests(),
        *_handed_over(),
        *_silence(),
        *_outages(),
        *_drills(),
        *_notes(),
    ]


def _of(
    kind: NoticeKind,
    entries: Sequence[Entry] = (),
    *,
    state: str = "",
    parts: Iterable[Part] | None = None,
    data: Mapping[str, str] | None = None,
    **more: object,
) -> list[Example]:
    """The example for each part that gets this kind, or for `parts` alone."""
    found = []
    for part in Part:
        if part in (PARTS[kind] if parts is None else parts):
            # A stand-in is one because the connector is gone.
            gone = {names.GONE: names.ids_text([ANA.id])} if part is Part.STAND_IN and kind is NoticeKind.LAPSED else {}
            own = letter(part, entries, kind=kind, data={**(data or {}), **gone}, **more)  # type: ignore[arg-type]  # an example names the fields that it fills
            found.append(Example(kind=kind, part=part, state=state, message=write(own)))
    return found


def password(ago: timedelta = timedelta(minutes=2)) -> Entry:
    """The account of most examples."""
    return entry(
        1,
        FACEBOOK,
        "Acme EU Ads",
        account_id="1029384756",
        cause=Verdict.CREDENTIAL_CHANGED,
        evidence=Evidence(check="debug", code="190", subcode="460"),
        ago=ago,
    )


def one_login() -> list[Entry]:
    """Seventeen accounts of six clients under one login."""
    return [
        entry(
            10 + number,
            FACEBOOK,
            f"{CLIENTS[number % 6]} {place}",
            account_id=str(2000000001 + number * 7919),
            cause=Verdict.REVOKED,
            client=CLIENTS[number % 6],
        )
        for number, place in enumerate(PLACES)
    ]


def partly_back() -> list[Entry]:
    """The same, of which fourteen are back: two need a role, one was closed."""
    login = one_login()
    causes = {14: Verdict.ROLE_LOST, 15: Verdict.ROLE_LOST, 16: Verdict.ACCOUNT_DISABLED}
    return [
        _because(one, causes[number]) if number in causes else ended(one, LapseEnd.RECONNECTED)
        for number, one in enumerate(login)
    ]


def _because(one: Entry, cause: Verdict) -> Entry:
    lapse = replace(one.lapse, cause=cause)
    return replace(one, lapse=lapse, view=replace(one.view, lapse=lapse))


def _lapses() -> list[Example]:
    """What can have become of one account, of one login's accounts, and of several logins'."""
    kind, first = NoticeKind.LAPSED, password()
    trio = [
        entry(40 + number, FACEBOOK, name, account_id=f"30000000{number}", cause=Verdict.EXPIRED, client=client)
        for number, (name, client) in enumerate((("Acme EU Ads", "Acme"), ("Acme US Ads", "Acme"), ("Brio", "Brio")))
    ]
    summary = [
        entry(30, SNAPCHAT, "Acme Snaps", account_id="b3c1", cause=Verdict.EXPIRED, login=3),
        entry(31, SNAPCHAT, "Brio Snaps", account_id="c4d2", cause=Verdict.REVOKED, client="Brio", login=4),
    ]
    mine = {first.lapse.id: _snooze(first.lapse.id, ANA)}
    second = {names.POSITION: "2", names.TOTAL: "3"}
    back = [ended(one, LapseEnd.RECONNECTED) for one in one_login()]
    return [
        *_of(kind, [first]),
        *_of(kind, [unticked()], state="a permission"),
        *_of(kind, [moved()], state="moved"),
        *_of(kind, [disabled()], state="disabled"),
        *_of(kind, [keyed()], state="a key"),
        *_of(kind, [reported()], state="kept by the host product"),
        *_of(kind, [claimed(first)], state="claimed"),
        *_of(kind, [claimed(first, ANA)], state="claimed by the reader", parts=[Part.CONNECTOR]),
        *_of(kind, [first], state="snoozed", parts=[Part.CONNECTOR], mutes=mine),
        *_of(kind, [noted(first, "IT resets the password at noon.")], state="with a note"),
        *_of(kind, trio[:1], state="the second of three", parts=[Part.CONNECTOR], beside=trio[1:], data=second),
        *_of(kind, one_login(), state="a login"),
        *_of(kind, [claimed(one) for one in one_login()], state="a login, claimed"),
        *_of(kind, summary, state="several logins"),
        *_of(kind, [ended(first, LapseEnd.RECONNECTED)], state="restored"),
        *_of(kind, [ended(first, LapseEnd.RECOVERED, by=None)], state="restored by itself"),
        *_of(kind, back, state="restored, a login"),
        *_of(kind, partly_back(), state="partly restored"),
        *_of(kind, [ended(first, LapseEnd.RETIRED)], state="retired"),
    ]


def _snooze(lapse_id: LapseId, person: Person) -> Mute:
    return Mute(lapse_id=lapse_id, person_id=person.id, until=NOW + 3 * _DAY)


def _reminders() -> list[Example]:
    """The series of N-6: a reminder among others, the last one, and its starting over."""
    kind, told = NoticeKind.REMINDER, (Part.CONNECTOR, Part.OWNER, Part.STAND_IN)
    second = {names.NUMBER: "2", names.OF: "5", names.SERIES_DAY: "7"}
    last = {names.NUMBER: "5", names.OF: "5", names.SERIES_DAY: "22", names.LAST: names.YES}
    again = {names.SERIES_DAY: "27", names.AGAIN: names.YES}
    return [
        *_of(kind, [password(7 * _DAY)], parts=told, data=second),
        *_of(kind, [password(22 * _DAY)], state="the last", data=last),
        *_of(kind, [password(27 * _DAY)], state="starting over", data=again),
        *_of(kind, [ended(password(7 * _DAY), LapseEnd.RECONNECTED)], state="restored", parts=told, data=second),
    ]


def _digests() -> list[Example]:
    kind, daily, weekly = NoticeKind.DIGEST, {names.RHYTHM: "daily"}, {names.RHYTHM: "weekly"}
    lapsed = [password(_DAY), unticked(), moved()]
    back = [ended(one, LapseEnd.RECONNECTED) for one in lapsed]
    return [
        *_of(kind, lapsed, data=daily, logins=(_page_login(),)),
        *_of(kind, lapsed[:1], state="a single account", data=weekly),
        *_of(kind, [*one_login(), *lapsed], state="many", data=weekly),
        *_of(kind, state="warnings alone", data=weekly, logins=(_page_login(), _group_login())),
        *_of(kind, back, state="all mended", data=daily, logins=(_page_login(renewed=True),)),
    ]


def _page_login(*, renewed: bool = False) -> Login:
    return ending(LINKEDIN, 5, [account(50, LINKEDIN, "Acme Page", account_id="508812", login=5)], renewed=renewed)


def _group_login(*, renewed: bool = False) -> Login:
    pages = [
        account(60 + number, LINKEDIN, f"{client} Ads", account_id=f"5099{number}", client=client, login=6)
        for number, client in enumerate(CLIENTS)
    ]
    return ending(LINKEDIN, 6, pages, renewed=renewed)


def _warnings() -> list[Example]:
    kind, week = NoticeKind.EXPIRING, {names.DAYS: "7"}
    both = (_page_login(), _group_login())
    return [
        *_of(kind, data=week, logins=(_page_login(),)),
        *_of(kind, state="a login", data={names.DAYS: "1"}, logins=(_group_login(),)),
        *_of(kind, state="several logins", data=week, logins=both),
        *_of(kind, state="renewed", data=week, logins=(_page_login(renewed=True),)),
        *_of(
            kind,
            state="several logins, renewed",
            data=week,
            logins=(_page_login(renewed=True), _group_login(renewed=True)),
        ),
    ]


def _requests() -> list[Example]:
    """What people ask of each other, and what administrators have to settle."""
    first, by = password(), {names.BY: RAJ.name}
    ana, mei = {names.WHOM: names.ids_text([ANA.id])}, {names.WHOM: names.ids_text([MEI.id])}
    refused = {**ana, names.REASON: "cannot_dm_user"}
    works = account(1, FACEBOOK, "Acme EU Ads", account_id="1029384756")
    retired = replace(works.view.connection, state=ConnectionState.RETIRED)
    over = replace(works, view=replace(works.view, connection=retired))
    undelivered = NoticeKind.UNDELIVERED
    return [
        *_of(NoticeKind.NUDGED, [first], data=by),
        *_of(NoticeKind.ASSIGNED, [claimed(first, LEE)], data=by, parts=[Part.STAND_IN]),
        *_of(NoticeKind.ASSIGNED, [first], data=by, parts=PARTS[NoticeKind.ASSIGNED] - {Part.STAND_IN}),
        *_of(NoticeKind.LINK_REFUSED, data={names.BY: "Bob Stone"}, accounts=(works,)),
        *_of(undelivered, [first], state="a person", data=refused),
        *_of(undelivered, [first], state="a channel", data={names.REASON: "is_archived"}),
        *_of(undelivered, state="a link", data={**refused, names.WHAT: NoticeKind.PERSONAL_LINK.value}),
        *_of(NoticeKind.NOT_MINE, [first], data=ana),
        *_of(NoticeKind.NOT_MINE, one_login(), state="a login", data=ana),
        *_of(NoticeKind.RETIREMENT_PROPOSED, data=mei, accounts=(works,)),
        *_of(NoticeKind.RETIREMENT_PROPOSED, [first], state="lapsed", data=mei),
        *_of(NoticeKind.RETIREMENT_PROPOSED, state="retired", data=mei, accounts=(over,)),
    ]


def _handed_over() -> list[Example]:
    by, kind = {names.BY: RAJ.name}, NoticeKind.SUCCESSION
    works = account(1, FACEBOOK, "Acme EU Ads", account_id="1029384756")
    several = [works, unticked(), *_group_login().accounts]
    hanging = (
        Hanging(authorization=authorization(FACEBOOK), clients=(("Acme", 9), ("Brio", 8))),
        Hanging(authorization=authorization(TIKTOK, 2), clients=(("Cato", 7),)),
    )
    owned = tuple(
        Answerable(network=network, client_id=ClientId(UUID(int=500)), connector_id=None, owner_id=ANA.id, number=12)
        for network in ("facebook", "tiktok")
    )
    gone = {names.WHOM: names.ids_text([ANA.id]), names.HOW: names.DEACTIVATED}
    left = {**gone, names.HOW: names.LEFT}
    page = "https://lapses.example/p/0123456789ABCDEFGHIJKL"
    return [
        *_of(NoticeKind.TRANSFERRED, data=by, accounts=(works,)),
        *_of(NoticeKind.TRANSFERRED, state="several", data={**by, names.MORE: "12"}, accounts=tuple(several)),
        *_of(NoticeKind.PERSONAL_LINK, page_url=page),
        *_of(NoticeKind.PERSONAL_LINK, state="sent by somebody", data=by, page_url=page),
        *_of(NoticeKind.PERSONAL_LINK, state="somebody new", data={names.WELCOME: names.YES}, page_url=page),
        *_of(kind, data=gone, hanging=hanging, owned=owned),
        *_of(kind, state="somebody leaves", data=left, hanging=hanging[:1]),
        *_of(kind, state="an owner", data=gone, owned=owned[:1]),
        *_of(kind, state="not seen yet", data=gone, hanging=hanging, owned=owned, unseen=True, to_ask=RAJ),
        *_of(kind, state="taken over", data=gone),
    ]


def _silence() -> list[Example]:
    lost, thin = NoticeKind.INSTALLATION_LOST, NoticeKind.THIN_REACH
    place = {names.PLATFORM: "example", names.WORKSPACE: "Acme Agency", names.TENANT: "T1", names.STATE: names.LOST}
    return [
        *_of(lost, data=place),
        *_of(lost, state="back", data={**place, names.STATE: names.BACK}),
        *_of(thin, data={names.NETWORKS: "tiktok", names.WEEK: "2026-W48"}),
        *_of(thin, state="several networks", data={names.NETWORKS: "linkedin tiktok", names.WEEK: "2026-W48"}),
    ]


def _outages() -> list[Example]:
    """One outage in all its states, and one of a region, and the line in a thread."""
    kind, begun = NoticeKind.OUTAGE, NOW - timedelta(minutes=46)
    fails = Outage(
        id=OutageId(UUID(int=850)),
        network=TIKTOK.slug,
        region="",
        since=begun - timedelta(minutes=10),
        opened_at=begun,
        held_until=begun + _DAY,
        checked=25,
        failing=23,
        sampled_at=begun,
        turn_at=begun,
    )
    ended = replace(fails, ended_at=NOW - timedelta(minutes=10))
    held = Failing(outage=fails, spec=TIKTOK, total=25, failing=23)
    over = replace(held, outage=replace(ended, over_at=NOW), failing=0)
    needing = replace(over, failing=1, lapsed=2)
    data = {names.OUTAGE: names.ids_text([fails.id])}
    region = replace(held, outage=replace(fails, region="Europe"), failing=25)
    states: Sequence[tuple[str, Failing]] = (
        ("", held),
        ("a region", region),
        ("for a day", replace(held, outage=replace(fails, opened_at=begun - _DAY, held_until=begun))),
        ("answering again", replace(held, outage=ended)),
        ("over", over),
        ("over, some lapsed", needing),
    )
    return [
        *(one for state, failing in states for one in _of(kind, state=state, data=data, failing=failing)),
        *_of(NoticeKind.OUTAGE_OVER, data=data, failing=over),
        *_of(NoticeKind.OUTAGE_OVER, state="some lapsed", data=data, failing=needing),
    ]


def _drills() -> list[Example]:
    works = account(1, FACEBOOK, "Acme EU Ads", account_id="1029384756")
    drill = {names.DRILL: names.ids_text([UUID(int=800)])}
    acme, brio = ClientId(UUID(int=500)), ClientId(UUID(int=501))
    figures = {
        **drill,
        names.CLIENT: names.ids_text([acme]),
        names.ASKED: "8",
        names.REACHED: "7",
        names.ANSWERED: "5",
        names.WHOM: names.ids_text([OTTO.id, MEI.id]),
        names.UNREACHED: names.ids_text([LEE.id]),
    }
    report = {
        **figures,
        names.CHANNELS: "2",
        names.FASTEST: "40",
        names.MEDIAN: "540",
        names.SLOWEST: "5400",
        names.SCORES: names.scores_text(
            [
                names.Score(client_id=acme, ready=3, total=4),
                names.Score(client_id=brio, ready=2, total=2),
            ]
        ),
    }
    return [
        *_of(NoticeKind.DRILL, data=drill, accounts=(works,)),
        *_of(NoticeKind.DRILL_ESCALATED, data=figures),
        *_of(NoticeKind.DRILL_REPORT, data=report),
    ]


def _notes() -> list[Example]:
    """One line each, under a message in a channel."""
    told: Sequence[tuple[str, EventKind, PersonId | None, Mapping[str, str]]] = (
        ("claimed", EventKind.CLAIMED, RAJ.id, {}),
        ("assigned", EventKind.CLAIMED, LEE.id, {names.BY: RAJ.name}),
        ("given back", EventKind.RELEASED, RAJ.id, {}),
        ("given back by itself", EventKind.RELEASED, None, {}),
        ("written", EventKind.NOTED, MEI.id, {names.TEXT: "IT resets the password at noon."}),
        ("an attempt", EventKind.ATTEMPT_OPENED, RAJ.id, {}),
        ("an attempt failed", EventKind.ATTEMPT_FAILED, RAJ.id, {names.TEXT: "logged in as somebody else"}),
    )
    return [
        example
        for state, what, whom, more in told
        for example in _of(
            NoticeKind.NOTE,
            [password()],
            state=state,
            data={names.WHAT: what.value, names.WHOM: names.ids_text([whom] if whom else []), **more},
        )
    ]
