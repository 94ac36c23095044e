"""The pages in each of their states, reached as a browser reaches them, or by writing down how a login ended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from commands.comparison import AccountResult
from commands.ids import AttemptId, ConnectionId, new_id, to_wire
from commands.model import Claim, ConnectionState, Evidence, Parent, Role, Verdict
from commands.outcomes import Outcome, OutcomeKind, OutcomeRow
from commands.ports.network import CauseText, NetworkSpec, Permission
from commands.ports.reconnecting import Attempt, PassPurpose
from commands.secret import hashed
from tests.support.network import spec
from tests.web.browser import Browser, Page
from tests.web.rig import Rig

LIFE = timedelta(minutes=10)
REFUSALS = (Verdict.USER_BLOCKED, Verdict.ADMIN_BLOCK, Verdict.UNCLEAR, Verdict.REVOKED, Verdict.ROLE_LOST)
"""Verdicts with which a network may refuse a login that is coming back."""
SUCCESSES = (OutcomeKind.RESTORED, OutcomeKind.CONNECTED)
ACCOUNTS_ONLY = frozenset(
    {OutcomeKind.CONNECTED, OutcomeKind.NOTHING_REACHED, OutcomeKind.NOTHING_CHOSEN, OutcomeKind.REACHES_LESS}
)
"""How only a login for new accounts can end."""
ONE_ONLY = frozenset(
    {OutcomeKind.RESTORED, OutcomeKind.PARTIAL, OutcomeKind.WRONG_LOGIN, OutcomeKind.ROLE_MISSING, OutcomeKind.NOT_BACK}
)
"""How only a login for a connection can end."""


def rich_spec() -> NetworkSpec:
    """A declaration with everything that pages show."""
    return spec(
        name="Examplenet",
        parent_label="business center",
        permissions=(
            Permission(label="Ad Account Management", satisfied_by=frozenset({"manage"})),
            Permission(label="Reporting", satisfied_by=frozenset({"read"})),
        ),
        checklist=(
            "Log in as {subject}.",
            "You need the Admin role in Business Center {parent} ({parent_id}).",
            "Leave these two on: {permissions}.",
        ),
        steps=("Choose the business.", "Press Confirm."),
        term=timedelta(days=60),
        one_grant_per_subject=True,
        re_asks=True,
        switch_login="The page shows who is logged in; choose “Not you?” to change it.",
        causes={
            Verdict.PERMISSION_MISSING: CauseText(
                happened="A permission was switched off.", mend="Reconnect and leave it on.", not_helping="Waiting."
            )
        },
    )


def row(number: int, result: AccountResult, verdict: Verdict, **more: object) -> OutcomeRow:
    return OutcomeRow(
        account_name=f"Cato {number}",
        account_id=f"7012345678901234{number:03}",
        client_name="Cato & Söhne",
        result=result,
        verdict=verdict,
        **more,  # type: ignore[arg-type]  # the case in hand names its fields
    )


ROWS = (
    row(1, AccountResult.NOT_REACHED, Verdict.ACCOUNT_GONE),
    row(2, AccountResult.MISSING_PERMISSION, Verdict.PERMISSION_MISSING, missing=("Reporting",)),
    row(3, AccountResult.MOVED, Verdict.ACCOUNT_MOVED, parent_name="Acme EU", parent_id="7001", moved_to_name="Brio"),
    row(4, AccountResult.DISABLED, Verdict.ACCOUNT_DISABLED),
    row(5, AccountResult.UNREADABLE, Verdict.ROLE_LOST),
)
BACK = (row(6, AccountResult.RESTORED, Verdict.HEALTHY), row(7, AccountResult.RESTORED, Verdict.HEALTHY))


def outcomes() -> Mapping[str, Outcome]:
    """An outcome of each kind, with all that its page may show, and of each verdict where the page depends on it."""
    full = Outcome(
        kind=OutcomeKind.RESTORED,
        used_login="ana.private@acme.example",
        expected_login="Ana Ruiz",
        granted=("Ad Account Management",),
        missing=("Reporting",),
        rows=(*ROWS, *BACK),
        more=3,
        reaches=("Brio Shop 77", "Brio Careers 78"),
        reaches_in=("Brio 8002",),
        somebody_elses=True,
    )
    found = {kind.value: replace(full, kind=kind) for kind in OutcomeKind}
    for kind in SUCCESSES:
        found[kind.value] = replace(full, kind=kind, rows=BACK, missing=())
    for verdict in REFUSALS:
        kind = OutcomeKind.NOT_ACCEPTED
        found[f"{kind.value} {verdict.value}"] = Outcome(kind=kind, verdict=verdict)
    for one in ROWS:
        partial, nothing = OutcomeKind.PARTIAL, OutcomeKind.NOT_BACK
        lean = Outcome(kind=nothing, used_login="Ana Ruiz", rows=(one,))
        found[f"{nothing.value} {one.result.value}"] = lean
        found[f"{partial.value} {one.result.value}"] = replace(lean, kind=partial, rows=(one, *BACK))
    found["wrong_login bare"] = Outcome(kind=OutcomeKind.WRONG_LOGIN, used_login="Somebody")
    found["missing_permission bare"] = Outcome(kind=OutcomeKind.MISSING_PERMISSION, used_login="Ana Ruiz")
    return found


@dataclass
class Endings:
    """Writes down how logins of one browser ended, and gives the addresses of their pages."""

    rig: Rig
    browser: Browser
    person: str = "Ana Ruiz"

    async def path(
        self,
        link: str,
        outcome: Outcome | None,
        *,
        connection_id: ConnectionId | None,
        age: timedelta = timedelta(0),
    ) -> str:
        """The page of an attempt that began `age` ago; None: it has no outcome."""
        rig, now = self.rig, self.rig.clock.now()
        found = await rig.storage.directory.link(link.removeprefix("/r/"))
        assert found is not None
        secret = next(c.value for c in self.browser.session.cookie_jar if c.key == "lapsebot-session")
        async with rig.storage.transaction() as uow:
            session = await uow.sessions.by_secret(hashed(secret), now)
            assert session is not None
            attempt = Attempt(
                id=AttemptId(new_id(now)),
                organization_id=rig.organization_id,
                link_id=found.id,
                person_id=rig.people[self.person].id,
                connection_id=connection_id,
                authorization_id=None,
                network=rig.network.spec.slug,
                session_id=session.id,
                redirect_uri=f"{rig.base}/oauth/cb/{rig.network.spec.slug}",
                code_verifier=None,
                opened_at=now - age,
                expires_at=now - age + LIFE,
            )
            await uow.attempts.open(attempt, state_hash=attempt.id.bytes, browser_hash=b"b", take_over=False)
            if outcome is not None:
                await uow.attempts.finish(rig.organization_id, attempt.id, outcome=outcome.to_json(), at=now)
        return f"/a/{to_wire(attempt.id)}"


def renamed(rig: Rig, slug: str = "examplenet") -> None:
    """Let the rig's network declare everything that pages show."""
    rig.network.spec = replace(rich_spec(), slug=slug)


async def results(rig: Rig, browser: Browser) -> dict[str, Page]:
    """The page of every way in which a login can end, for a connection and for new accounts, by a name for it."""
    connection_id = await rig.add_connection("1029384756")
    link, new_link = await rig.link(connection_id), await rig.new_accounts_link()
    await rig.signed_in(browser, link)
    endings, found = Endings(rig, browser), {}
    for name, outcome in outcomes().items():
        if outcome.kind not in ACCOUNTS_ONLY:
            path = await endings.path(link, outcome, connection_id=connection_id)
            found[name] = await browser.get(path)
        if outcome.kind not in ONE_ONLY:
            path = await endings.path(new_link, outcome, connection_id=None)
            found[f"{name}, new accounts"] = await browser.get(path)
    for name, age in {"at the network": timedelta(minutes=3), "expired": timedelta(hours=1)}.items():
        path = await endings.path(link, None, connection_id=connection_id, age=age)
        found[name] = await browser.get(path)
    return found


async def rehearsals(rig: Rig, browser: Browser) -> dict[str, Page]:
    """The page before, in each of its states."""
    now, raj = rig.clock.now(), rig.people["Raj Patel"]
    lacking = Evidence(check="fake", missing=("Reporting",))
    moved = Evidence(check="fake", moved_to=Parent(id="8002", name="Brio"))
    soon = await rig.add_authorization("Ana Ruiz", subject="s-soon", ends_at=now + timedelta(days=6))
    other = await rig.add_authorization("Ana Ruiz", subject="s-other")
    third = await rig.add_authorization("Ana Ruiz", subject="s-third")
    lapsed = await rig.add_connection("201", cause=Verdict.PERMISSION_MISSING, evidence=lacking)
    await rig.add_connection("202", "A sibling of theirs")
    claimed = await rig.add_connection("203", "Claimed", authorization_id=other)
    begun = await rig.add_connection("204", "Begun", authorization_id=third)
    ids = {
        "lapsed": lapsed,
        "moved": await rig.add_connection("205", "Moved", cause=Verdict.ACCOUNT_MOVED, evidence=moved),
        "unconnected": await rig.add_connection("206", state=ConnectionState.UNCONNECTED, connector=None),
        "renew": await rig.add_connection("207", state=ConnectionState.ACTIVE, authorization_id=soon),
        "working": await rig.add_connection("208", state=ConnectionState.ACTIVE),
        "claimed": claimed,
    }
    async with rig.storage.transaction() as uow:
        view = await uow.connections.view(rig.organization_id, claimed)
        assert view is not None
        assert view.lapse is not None
        claim = Claim(person_id=raj.id, until=now + timedelta(hours=1))
        await uow.lapses.claim(rig.organization_id, [view.lapse.id], claim)
    found = {name: await browser.get(await rig.link(connection)) for name, connection in ids.items()}
    path = await rig.link(begun)
    await browser.submit(await browser.get(path), path)
    rig.clock.advance(timedelta(minutes=3))
    found["left at the network"] = await browser.get(path)
    async with rig.browser() as another:
        theirs = await rig.link(begun, "Raj Patel")
        found["a colleague's"] = await rig.signed_in(another, theirs, "Raj Patel")
        held = await another.submit(found["a colleague's"], theirs)
        found["held"] = held
        await another.submit(held, theirs, take_over="yes")
    found["taken over meanwhile"] = await browser.get(path)
    networks = dict(rig.networks)
    rig.networks.clear()
    found["network not set up"] = await browser.get(await rig.link(lapsed))
    rig.networks.update(networks)
    new_link = await rig.new_accounts_link()
    found["new accounts"] = await browser.get(new_link)
    found["new accounts, not set up"] = await browser.get(await rig.new_accounts_link(network="gonenet"))
    rig.login("501", "502", "201", subject="s-new", granted=frozenset({"manage", "read"}))
    sent = await browser.submit(found["new accounts"], new_link)
    page = await browser.get(rig.callback(sent.sent_state))
    while page.status == 303:
        page = await browser.follow(page)
    found["choose"] = page
    found["new accounts, to choose from"] = await browser.get(new_link)
    action = next(path for path in page.actions() if path.startswith("/choose/"))
    found["choose, unfit"] = await browser.post(action, page.form(action))
    return found


async def others(rig: Rig, browser: Browser) -> dict[str, Page]:
    """Pages before and beside the link's own."""
    link = await rig.link(await rig.add_connection("301"))
    accounts, one_time = (
        await rig.bearer_link(PassPurpose.ACCOUNTS),
        await rig.bearer_link(PassPurpose.IDENTITY, (await rig.add_person("Nia New", Role.STAFF, linked=False)).name),
    )
    unknown = "0" * 22
    found = {f"nowhere {kind}": await browser.get(f"/{kind}/{unknown}") for kind in ("r", "p", "link", "unsubscribe")}
    found |= {
        "home": await browser.get("/"),
        "callback refused": await browser.get("/oauth/cb/examplenet?state=x"),
        "sign-in failed": await browser.get("/sign-in/cb/chatter?state=x&code=y"),
        "request refused": await browser.get("/link"),
        "unsubscribe": await browser.get(await rig.bearer_link(PassPurpose.UNSUBSCRIBE)),
        "form refused": await browser.post(link, {"token": "x"}),
    }
    async with rig.browser() as stranger:
        found["sign in"] = await stranger.get(link)
        rig.sign_in_as("U-nobody", name="Nobody", email="nobody@elsewhere.example")
        found["unknown"] = await stranger.follow(await rig.come_back(stranger, found["sign in"]))
    async with rig.browser() as newcomer:
        rig.sign_in_as("U-nia", name="nia.n", email="nia@acme.example")
        found["confirm"] = await newcomer.follow(await rig.come_back(newcomer, await newcomer.get(link)))
        found["one-time link"] = await newcomer.get(one_time)
    async with rig.browser() as mei:
        found["not yours"] = await rig.signed_in(mei, link, "Mei Lin")
        found["one-time link, not linked"] = await mei.get(one_time)
        found["signed in"] = await mei.get(rig.sign_in_path())
    async with rig.browser() as raj:
        moved = Evidence(check="fake", moved_to=Parent(id="8002", name="Brio"))
        gone = await rig.add_connection("302", "Moved away", cause=Verdict.ACCOUNT_MOVED, evidence=moved)
        theirs = await rig.link(gone, "Raj Patel")
        found["moved, an administrator's"] = await rig.signed_in(raj, theirs, "Raj Patel")
        found["accept a move"] = await raj.get(f"{theirs}/move")
    found["install"] = await browser.get("/install/chatter")
    found["installing failed"] = await browser.get("/install/cb/chatter?state=x&code=y")
    async with rig.browser() as holder, rig.browser() as second:
        found["open accounts"] = await holder.get(accounts)
        opened = await holder.submit(found["open accounts"], accounts)
        found["accounts"] = await holder.follow(opened)
        found["accounts, other browser"] = await second.submit(await second.get(accounts), accounts)
    return found
