"""One message of every kind, for every reader and state, from made-up facts: for `preview`, docs and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.notices.asides import link_refused
from bot.notices.data import BY, POSITION, REASON, TOTAL, WHOM, ids_text
from bot.notices.letter import PERSONAL, Entry, Letter
from bot.notices.wording import write
from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    LapseId,
    NoticeId,
    OrganizationId,
    PersonId,
    to_wire,
)
from commands.messages import Handle, Message
from commands.model import (
    Authorization,
    Channel,
    Claim,
    Connection,
    ConnectionState,
    ConnectionView,
    Evidence,
    Lapse,
    LapseEnd,
    Parent,
    Person,
    Role,
    Verdict,
)
from commands.ports.network import Grouping, NetworkSpec, Permission
from commands.ports.notices import Notice, NoticeKind, Part

NOW = datetime(2026, 11, 23, 14, 12, tzinfo=UTC)
_ORGANIZATION = OrganizationId(UUID(int=1))
_CHANNEL = Channel(platform="example", tenant="T1", external_id="C1")

FACEBOOK = NetworkSpec(
    slug="facebook",
    name="Facebook",
    permissions=(Permission(label="Manage ads", satisfied_by=frozenset({"ads_read"})),),
    parent_label="Business portfolio",
    login_label="your personal Facebook profile",
    reconnect_requirement="a role on the ad account in its Business portfolio",
    stops=("spend", "creative data"),
)
TIKTOK = NetworkSpec(
    slug="tiktok",
    name="TikTok",
    permissions=(Permission(label="Reporting", satisfied_by=frozenset({"4"})),),
    parent_label="Business Center",
    login_label="your TikTok For Business login",
    reconnect_requirement="the Admin role in its Business Center",
    stops=("spend", "reports"),
)
SNAPCHAT = NetworkSpec(
    slug="snapchat",
    name="Snapchat",
    grouping=Grouping.SUMMARY,
    permissions=(),
    parent_label="organization",
    login_label="your Snapchat Business login",
    reconnect_requirement="the Organization Admin role",
    stops=("spend",),
)


def _person(number: int, name: str, role: Role) -> Person:
    return Person(
        id=PersonId(UUID(int=number)),
        organization_id=_ORGANIZATION,
        name=name,
        email=f"{name[:3].lower()}@acme.example",
        role=role,
    )


ANA = _person(11, "Ana Ruiz", Role.OWNER)
OTTO = _person(12, "Otto Berg", Role.OWNER)
RAJ = _person(13, "Raj Patel", Role.ADMINISTRATOR)
MEI = _person(14, "Mei Lin", Role.STAFF)
_READERS = {
    Part.CONNECTOR: ANA,
    Part.OWNER: OTTO,
    Part.ADMINISTRATOR: RAJ,
    Part.SUBSCRIBER: MEI,
    Part.CHANNEL: MEI,
}
_PLACES = ("DE", "FR", "BE", "NL", "ES", "IT", "PT", "SE", "NO", "DK", "FI", "PL", "CZ", "AT", "CH", "IE", "UK")
_CLIENTS = ("Acme", "Brio", "Cato", "Dune", "Echo", "Fjord")


def entry(
    number: int,
    spec: NetworkSpec,
    name: str,
    *,
    account_id: str,
    cause: Verdict,
    evidence: Evidence | None = None,
    client: str = "Acme",
    login: int = 1,
    parent: Parent | None = None,
) -> Entry:
    """A connection of Ana's, owned by Otto, that lapsed ten minutes ago."""
    authorization_id = AuthorizationId(UUID(int=200 + login))
    lapse = Lapse(
        id=LapseId(UUID(int=400 + number)),
        organization_id=_ORGANIZATION,
        connection_id=ConnectionId(UUID(int=300 + number)),
        authorization_id=authorization_id,
        cause=cause,
        evidence=evidence or Evidence(check="example"),
        last_good_at=NOW - timedelta(minutes=12),
        opened_at=NOW - timedelta(minutes=2),
    )
    connection = Connection(
        id=lapse.connection_id,
        organization_id=_ORGANIZATION,
        client_id=ClientId(UUID(int=500 + _CLIENTS.index(client))),
        network=spec.slug,
        account_id=account_id,
        account_name=name,
        state=ConnectionState.LAPSED,
        parent=parent,
        authorization_id=authorization_id,
        connector_id=ANA.id,
        owner_id=OTTO.id,
    )
    authorization = Authorization(
        id=authorization_id,
        organization_id=_ORGANIZATION,
        network=spec.slug,
        subject_id=f"subject-{login}",
        subject_name=ANA.name,
        connector_id=ANA.id,
        granted=frozenset(),
        obtained_at=NOW - timedelta(days=40),
    )
    view = ConnectionView(
        connection=connection, client_name=client, connector=ANA, owner=OTTO, lapse=lapse, authorization=authorization
    )
    return Entry(view=view, lapse=lapse, spec=spec)


def claimed(one: Entry, by: Person = RAJ) -> Entry:
    """The same with somebody on it."""
    lapse = replace(one.lapse, claim=Claim(person_id=by.id, until=NOW + timedelta(hours=23)))
    return replace(one, lapse=lapse, view=replace(one.view, lapse=lapse, claimant_name=by.name))


def ended(one: Entry, how: LapseEnd, by: Person | None = RAJ, after: timedelta = timedelta(minutes=200)) -> Entry:
    """The same after its lapse ended."""
    lapse = replace(one.lapse, ended_at=one.lapse.opened_at + after, ended_how=how, ended_by=by.id if by else None)
    return replace(one, lapse=lapse, view=replace(one.view, lapse=lapse, restorer_name=by.name if by else None))


def letter(
    part: Part,
    entries: Sequence[Entry],
    *,
    kind: NoticeKind = NoticeKind.LAPSED,
    data: Mapping[str, str] | None = None,
    beside: Sequence[Entry] = (),
    now: datetime = NOW,
) -> Letter:
    """A notice of these entries to the example's reader of this part, who may see all of them."""
    reader = _READERS[part]
    notice = Notice(
        id=NoticeId(UUID(int=900)),
        organization_id=_ORGANIZATION,
        kind=kind,
        part=part,
        person_id=reader.id,
        channel=_CHANNEL if part is Part.CHANNEL else None,
        lapse_ids=tuple(one.lapse.id for one in entries),
        created_at=NOW,
        data=data or {},
    )
    ids = [one.view.connection.id for one in entries]
    links = {id: f"https://lapses.example/r/{to_wire(id)}" for id in ids} if part in PERSONAL else {}
    return Letter(
        notice=notice,
        reader=reader,
        entries=tuple(entries),
        beside=tuple(beside),
        told={} if part is Part.CONNECTOR else {ANA.id: NOW - timedelta(minutes=2)},
        people={ANA.id: ANA},
        handles={person.id: (Handle("example", "T1", f"U{person.id.int}"),) for person in (ANA, RAJ, OTTO)},
        links=links,
        now=now,
    )


def examples() -> Mapping[str, Message]:
    """Every example by a short name, "lapsed to its connector"."""
    found: dict[str, Message] = {}
    for name, entries in _stories().items():
        for part in Part:
            found[f"{name}: {part.value}"] = write(letter(part, entries))
    found |= _single_readers()
    return found


def _stories() -> dict[str, Sequence[Entry]]:
    """What can have become of one account, of one login's accounts, and of several logins'."""
    password = entry(1, FACEBOOK, "Acme EU Ads", account_id="1029384756", cause=Verdict.CREDENTIAL_CHANGED)
    reporting = entry(
        2,
        TIKTOK,
        "Acme DE",
        account_id="7012345678901234567",
        cause=Verdict.PERMISSION_MISSING,
        evidence=Evidence(check="oauth2/advertiser/get", missing=("Ad Account Management", "Reporting")),
        parent=Parent(id="6987654321098194", name="Acme EU"),
    )
    moved = entry(
        3,
        TIKTOK,
        "Acme FR",
        account_id="7012345678901234568",
        cause=Verdict.ACCOUNT_MOVED,
        evidence=Evidence(check="bc/asset/get", moved_to=Parent(id="6987654321098255", name="Brio Holding")),
    )
    login = [
        entry(
            10 + number,
            FACEBOOK,
            f"{_CLIENTS[number % 6]} {place}",
            account_id=str(2000000001 + number * 7919),
            cause=Verdict.REVOKED,
            client=_CLIENTS[number % 6],
        )
        for number, place in enumerate(_PLACES)
    ]
    held_up = [replace(one, lapse=replace(one.lapse, cause=Verdict.ROLE_LOST)) for one in login[14:16]]
    closed = replace(login[16], lapse=replace(login[16].lapse, cause=Verdict.ACCOUNT_DISABLED))
    summary = [
        entry(30, SNAPCHAT, "Acme Snaps", account_id="b3c1", cause=Verdict.EXPIRED, login=3),
        entry(31, SNAPCHAT, "Brio Snaps", account_id="c4d2", cause=Verdict.REVOKED, client="Brio", login=4),
    ]
    back = [ended(one, LapseEnd.RECONNECTED) for one in login]
    return {
        "lapsed": [password],
        "lapsed, a permission": [reporting],
        "lapsed, moved": [moved],
        "lapsed, claimed": [claimed(password)],
        "lapsed, a login": login,
        "lapsed, a login, claimed": [claimed(one) for one in login],
        "lapsed, several logins": summary,
        "restored": [ended(password, LapseEnd.RECONNECTED)],
        "restored by itself": [ended(password, LapseEnd.RECOVERED, by=None)],
        "restored, a login": back,
        "partly restored": [*back[:14], *(_keep_view(one) for one in held_up), _keep_view(closed)],
        "retired": [ended(password, LapseEnd.RETIRED)],
    }


def _keep_view(one: Entry) -> Entry:
    return replace(one, view=replace(one.view, lapse=one.lapse))


def _single_readers() -> dict[str, Message]:
    """Notices that only one part gets, or that differ for one."""
    facebook = [
        entry(40 + number, FACEBOOK, name, account_id=f"30000000{number}", cause=Verdict.EXPIRED, client=client)
        for number, (name, client) in enumerate((("Acme EU Ads", "Acme"), ("Acme US Ads", "Acme"), ("Brio", "Brio")))
    ]
    first = facebook[0]
    return {
        "lapsed, the second of three: connector": write(
            letter(Part.CONNECTOR, facebook[:1], beside=facebook[1:], data={POSITION: "2", TOTAL: "3"})
        ),
        "lapsed, claimed by the reader: administrator": write(letter(Part.ADMINISTRATOR, [claimed(first)])),
        "lapsed, nudged: connector": write(
            letter(Part.CONNECTOR, [first], kind=NoticeKind.NUDGED, data={BY: "Raj Patel"})
        ),
        "link refused: connector": link_refused(FACEBOOK, first.view, at=NOW, by="Bob Stone"),
        "undelivered, a person: administrator": write(
            letter(
                Part.ADMINISTRATOR,
                [first],
                kind=NoticeKind.UNDELIVERED,
                data={WHOM: ids_text([ANA.id]), REASON: "cannot_dm_user"},
            )
        ),
        "undelivered, a channel: administrator": write(
            letter(Part.ADMINISTRATOR, [first], kind=NoticeKind.UNDELIVERED, data={REASON: "is_archived"})
        ),
    }
