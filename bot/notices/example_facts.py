"""Made-up people, accounts, lapses and letters, which the examples of notices are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.notices.letter import PERSONAL, Account, Entry, Letter, Login
from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    LapseId,
    NoteId,
    NoticeId,
    OrganizationId,
    PersonId,
    to_wire,
)
from commands.messages import Handle
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
    LapseNote,
    Parent,
    Person,
    Role,
    Verdict,
)
from commands.ports.network import Grouping, KeyField, KeyForm, NetworkKind, NetworkSpec, OwnPage, Permission
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
    login_label="your TikTok for Business login",
    reconnect_requirement="the Admin role in its Business Center",
    stops=("spend", "reports"),
)
LINKEDIN = NetworkSpec(
    slug="linkedin",
    name="LinkedIn",
    permissions=(),
    parent_label=None,
    login_label="your personal LinkedIn profile",
    reconnect_requirement="the Account Manager role on the ad account",
    stops=("spend", "page statistics"),
    term=timedelta(days=60),
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

LETTERLY = NetworkSpec(
    slug="letterly",
    name="Letterly",
    kind=NetworkKind.API_KEY,
    permissions=(),
    parent_label=None,
    login_label="a key",
    reconnect_requirement="the Owner role at Letterly",
    stops=("campaign reports",),
    key_form=KeyForm(called="key", fields=(KeyField(name="key", label="Key"),)),
)
SUITE = NetworkSpec(
    slug="suite",
    name="Suite Social",
    kind=NetworkKind.HOSTED,
    permissions=(),
    parent_label=None,
    login_label="Acme Suite",
    reconnect_requirement="an Acme Suite login that may change connections",
    stops=("posts",),
    own_page=OwnPage(product="Acme Suite", reconnect_url="https://suite.example.com/{account_id}"),
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
LEE = _person(15, "Lee Okoro", Role.STAFF)
READERS = {
    Part.CONNECTOR: ANA,
    Part.OWNER: OTTO,
    Part.ADMINISTRATOR: RAJ,
    Part.STAND_IN: LEE,
    Part.SUBSCRIBER: MEI,
    Part.CHANNEL: MEI,
}
PEOPLE = (ANA, OTTO, RAJ, MEI, LEE)
PLACES = ("DE", "FR", "BE", "NL", "ES", "IT", "PT", "SE", "NO", "DK", "FI", "PL", "CZ", "AT", "CH", "IE", "UK")
CLIENTS = ("Acme", "Brio", "Cato", "Dune", "Echo", "Fjord")


def entry(
    number: int,
    spec: NetworkSpec,
    name: str,
    *,
    account_id: str,
    cause: Verdict,
    evidence: Evidence | None = None,
    ago: timedelta = timedelta(minutes=2),
    client: str = "Acme",
    login: int = 1,
    parent: Parent | None = None,
) -> Entry:
    """A connection of Ana's, owned by Otto, that lapsed `ago`."""
    authorization_id = AuthorizationId(UUID(int=200 + login))
    lapse = Lapse(
        id=LapseId(UUID(int=400 + number)),
        organization_id=_ORGANIZATION,
        connection_id=ConnectionId(UUID(int=300 + number)),
        authorization_id=authorization_id,
        cause=cause,
        evidence=evidence or Evidence(check="example"),
        last_good_at=NOW - ago - timedelta(minutes=10),
        opened_at=NOW - ago,
    )
    view = account(number, spec, name, account_id=account_id, client=client, login=login, parent=parent).view
    connection = replace(view.connection, state=ConnectionState.LAPSED)
    return Entry(view=replace(view, connection=connection, lapse=lapse), lapse=lapse, spec=spec)


def unticked() -> Entry:
    """An account whose permission was switched off."""
    return entry(
        2,
        TIKTOK,
        "Acme DE",
        account_id="7012345678901234567",
        cause=Verdict.PERMISSION_MISSING,
        evidence=Evidence(check="advertiser", code="40001", missing=("Ad Account Management", "Reporting")),
        parent=Parent(id="6987654321098194", name="Acme EU"),
    )


def moved() -> Entry:
    """An account that another business took over."""
    return entry(
        3,
        TIKTOK,
        "Acme FR",
        account_id="7012345678901234568",
        cause=Verdict.ACCOUNT_MOVED,
        evidence=Evidence(check="asset", moved_to=Parent(id="6987654321098255", name="Brio Holding")),
    )


def disabled() -> Entry:
    """An account that the network switched off, where a login mends nothing."""
    return entry(4, FACEBOOK, "Acme Old", account_id="1029384757", cause=Verdict.ACCOUNT_DISABLED)


def keyed() -> Entry:
    """An account of a network that is read with a key."""
    return entry(5, LETTERLY, "Acme Letters", account_id="L-1", cause=Verdict.EXPIRED)


def reported() -> Entry:
    """A connection that the host product keeps, and reported with its reason."""
    said = Evidence(check="report", said="The shop's owner deleted our key.")
    return entry(6, SUITE, "Acme Shop", account_id="shop-17", cause=Verdict.REPORTED, evidence=said)


def account(
    number: int,
    spec: NetworkSpec,
    name: str,
    *,
    account_id: str,
    client: str = "Acme",
    login: int = 1,
    parent: Parent | None = None,
) -> Account:
    """A connection of Ana's, owned by Otto, that works."""
    grant = authorization(spec, login)
    connection = Connection(
        id=ConnectionId(UUID(int=300 + number)),
        organization_id=_ORGANIZATION,
        client_id=ClientId(UUID(int=500 + CLIENTS.index(client))),
        network=spec.slug,
        account_id=account_id,
        account_name=name,
        state=ConnectionState.ACTIVE,
        parent=parent,
        authorization_id=grant.id,
        connector_id=ANA.id,
        owner_id=OTTO.id,
    )
    view = ConnectionView(
        connection=connection, client_name=client, connector=ANA, owner=OTTO, lapse=None, authorization=grant
    )
    return Account(view=view, spec=spec)


def authorization(spec: NetworkSpec, login: int = 1, *, ends_at: datetime | None = None) -> Authorization:
    """A login of Ana's."""
    return Authorization(
        id=AuthorizationId(UUID(int=200 + login)),
        organization_id=_ORGANIZATION,
        network=spec.slug,
        subject_id=f"subject-{login}",
        subject_name=ANA.name,
        connector_id=ANA.id,
        granted=frozenset(),
        obtained_at=NOW - timedelta(days=40),
        ends_at=ends_at,
    )


def ending(spec: NetworkSpec, login: int, accounts: Sequence[Account], *, renewed: bool = False) -> Login:
    """A login that ends in a week, or that somebody renewed since."""
    grant = authorization(spec, login, ends_at=NOW + timedelta(days=60 if renewed else 7))
    since = replace(grant, obtained_at=NOW + timedelta(hours=1) if renewed else grant.obtained_at)
    return Login(authorization=since, spec=spec, accounts=tuple(accounts), renewed=renewed)


def claimed(one: Entry, by: Person = RAJ) -> Entry:
    """The same with somebody on it."""
    lapse = replace(one.lapse, claim=Claim(person_id=by.id, until=NOW + timedelta(hours=23)))
    return replace(one, lapse=lapse, view=replace(one.view, lapse=lapse, claimant_name=by.name))


def ended(one: Entry, how: LapseEnd, by: Person | None = RAJ) -> Entry:
    """The same after its lapse ended."""
    lapse = replace(
        one.lapse, ended_at=one.lapse.opened_at + timedelta(minutes=200), ended_how=how, ended_by=by.id if by else None
    )
    return replace(one, lapse=lapse, view=replace(one.view, lapse=lapse, restorer_name=by.name if by else None))


def noted(one: Entry, words: str) -> Entry:
    """The same with a note."""
    note = LapseNote(
        id=NoteId(UUID(int=700)),
        organization_id=_ORGANIZATION,
        lapse_id=one.lapse.id,
        person_id=MEI.id,
        person_name=MEI.name,
        text=words,
        at=NOW - timedelta(minutes=1),
    )
    return replace(one, view=replace(one.view, notes=(note,)))


def letter(
    part: Part,
    entries: Sequence[Entry] = (),
    *,
    kind: NoticeKind = NoticeKind.LAPSED,
    data: Mapping[str, str] | None = None,
    beside: Sequence[Entry] = (),
    now: datetime = NOW,
    **more: object,
) -> Letter:
    """A notice to the example's reader of this part, who may see all of it. `more`: what else the letter holds."""
    reader = READERS[part]
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
    own = Letter(
        notice=notice,
        reader=reader,
        now=now,
        platform="example",
        entries=tuple(entries),
        beside=tuple(beside),
        clients={ClientId(UUID(int=500 + number)): name for number, name in enumerate(CLIENTS)},
        network_names={spec.slug: spec.name for spec in (FACEBOOK, LETTERLY, LINKEDIN, SNAPCHAT, SUITE, TIKTOK)},
        platform_names={"example": "Examplechat"},
        told={} if part is Part.CONNECTOR else {ANA.id: NOW - timedelta(minutes=2)},
        people={person.id: person for person in PEOPLE},
        handles={person.id: (Handle("example", "T1", f"U{person.id.int}"),) for person in PEOPLE},
        **more,  # type: ignore[arg-type]  # an example names the fields that it fills
    )
    return replace(own, links=_links(own) if part in PERSONAL else {})


def _links(own: Letter) -> Mapping[ConnectionId, str]:
    every = (*own.entries, *own.accounts, *(one for login in own.logins for one in login.accounts))
    ids = (one.view.connection.id for one in every)
    return {id: f"https://lapses.example/r/{to_wire(id)}" for id in ids}
