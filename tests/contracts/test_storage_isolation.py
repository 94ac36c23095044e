"""Nothing crosses from one organization to another: every method of every repository is walked."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import cast, get_type_hints

import pytest
from sqlalchemy import select

from commands.ids import (
    LapseId,
    OrganizationId,
    new_id,
)
from commands.model import (
    Claim,
    ConnectionState,
    Filter,
    LapseEnd,
    Mute,
    Page,
    Parent,
    Rhythm,
    Scope,
    Tokens,
)
from commands.ports.connections import CheckRecord
from commands.ports.notices import NoticeKind
from commands.ports.reconnecting import PassPurpose
from commands.ports.storage import StorageError, UnitOfWork
from commands.secret import Secret
from storage import SqlStorage
from storage.tables import organizations
from tests.contracts.furnished import DAY, House, furnished, preference
from tests.support.clock import FakeClock
from tests.support.seed import fresh_storage


async def counted(uow: UnitOfWork, organization_id: OrganizationId, house: House) -> object:
    stats = await uow.lapses.stats(organization_id, Scope(), since=house.now, until=house.now + DAY)
    return stats.opened or sum(number for _, number in stats.waits)


async def told_of_workspace(uow: UnitOfWork, organization_id: OrganizationId, house: House) -> object:
    workspace = (await uow.organizations.workspaces(house.seeded.organization_id))[0]
    return await uow.organizations.tell_of_workspace(
        organization_id, workspace.platform, workspace.external_id, is_lost=not workspace.is_lost, at=house.now
    )


async def released(uow: UnitOfWork, organization_id: OrganizationId, house: House) -> object:
    found = await uow.lapses.release_due(organization_id, [cast(LapseId, house.lapse_id)], house.now)
    return (*found.claims, *found.snoozes)


async def reported(uow: UnitOfWork, organization_id: OrganizationId, house: House) -> object:
    """The same id of another organization's report is another report: what became of this one is not told."""
    organization = await uow.organizations.get(organization_id)
    return await uow.host_reports.begin(organization.id, "report-1", house.now)


Call = Callable[[UnitOfWork, OrganizationId, "House"], Awaitable[object]]

# Each asks, in the name of another organization, for what is this one's.
CALLS: Mapping[str, Callable[..., Awaitable[object]]] = {
    "organizations.get": lambda u, o, h: u.organizations.get(OrganizationId(new_id(h.now))),
    "organizations.workspaces": lambda u, o, h: u.organizations.workspaces(o),
    "organizations.tell_of_workspace": told_of_workspace,
    "people.get": lambda u, o, h: u.people.get(o, h.seeded.ana.id),
    "people.get_for_change": lambda u, o, h: u.people.get_for_change(o, h.seeded.ana.id),
    "people.many": lambda u, o, h: u.people.many(o, [h.seeded.ana.id]),
    "people.by_email": lambda u, o, h: u.people.by_email(o, h.seeded.ana.email),
    "people.named": lambda u, o, h: u.people.named(o, "ana"),
    "people.administrators": lambda u, o, h: u.people.administrators(o),
    "people.identities": lambda u, o, h: u.people.identities(o, [h.seeded.ana.id]),
    "people.page": lambda u, o, h: u.people.page(o, offset=0, limit=9),
    "people.saw_list": lambda u, o, h: u.people.saw_list(o, h.seeded.ana.id, h.now),
    "people.identity": lambda u, o, h: u.people.identity(o, platform="slack", tenant="T1", user="U-ANA"),
    "people.unlink": lambda u, o, h: u.people.unlink(o, h.identity_id),
    "people.look_again": lambda u, o, h: u.people.look_again(o, h.identity_id),
    "people.looked_at": lambda u, o, h: u.people.looked_at(
        o, h.identity_id, at=h.now, gone=True, time_zone="Europe/Paris"
    ),
    "people.give_email": lambda u, o, h: u.people.give_email(o, h.seeded.ana.id, "stolen@example.com"),
    "people.merge": lambda u, o, h: u.people.merge(o, kept=h.seeded.pat.id, gone=h.seeded.sam.id),
    "clients.all": lambda u, o, h: u.clients.all(o),
    "authorizations.get": lambda u, o, h: u.authorizations.get(o, h.seeded.authorization.id),
    "authorizations.by_subject": lambda u, o, h: u.authorizations.by_subject(o, "examplenet", "subject-ana"),
    "authorizations.tokens": lambda u, o, h: u.authorizations.tokens(o, h.seeded.authorization.id),
    "authorizations.begin_refresh": lambda u, o, h: u.authorizations.begin_refresh(
        o, h.seeded.authorization.id, term=1, generation=1, at=h.now
    ),
    "authorizations.settle_refresh": lambda u, o, h: u.authorizations.settle_refresh(
        o, h.seeded.authorization.id, generation=1
    ),
    "authorizations.store_refreshed": lambda u, o, h: u.authorizations.store_refreshed(
        o, h.seeded.authorization.id, tokens=Tokens(access=Secret("stolen")), ends_at=None, generation=1
    ),
    "authorizations.record_check": lambda u, o, h: u.authorizations.record_check(
        o,
        h.seeded.authorization.id,
        1,
        CheckRecord(checked_at=h.now, next_check_at=h.now, good=True, doubt=None, ends_at=None),
    ),
    "authorizations.many": lambda u, o, h: u.authorizations.many(o, [h.seeded.authorization.id]),
    "authorizations.check_soon": lambda u, o, h: u.authorizations.check_soon(
        o, [h.seeded.authorization.id], h.now - DAY
    ),
    "authorizations.hanging_on": lambda u, o, h: u.authorizations.hanging_on(o, h.seeded.ana.id),
    "authorizations.warn_next": lambda u, o, h: u.authorizations.warn_next(
        o, h.seeded.authorization.id, ends_at=h.seeded.authorization.ends_at, at=None
    ),
    "authorizations.reconsider_warnings": lambda u, o, h: u.authorizations.reconsider_warnings(o, None),
    "connections.get": lambda u, o, h: u.connections.get(o, h.seeded.connections[0].id),
    "connections.view": lambda u, o, h: u.connections.view(o, h.seeded.connections[0].id),
    "connections.views": lambda u, o, h: u.connections.views(o, [h.seeded.connections[0].id]),
    "connections.of_accounts": lambda u, o, h: u.connections.of_accounts(o, "examplenet", ["acct-1"]),
    "connections.under": lambda u, o, h: u.connections.under(o, h.seeded.authorization.id),
    "connections.counts": lambda u, o, h: u.connections.counts(o, Scope()),
    "connections.page": lambda u, o, h: u.connections.page(
        o, Scope(), Filter(states=tuple(ConnectionState)), offset=0, limit=9
    ),
    "connections.next_to_end": lambda u, o, h: u.connections.next_to_end(o, Scope()),
    "connections.find": lambda u, o, h: u.connections.find(o, Scope(), "ads", limit=9),
    "connections.suggest": lambda u, o, h: u.connections.suggest(o, Scope(), "acme", limit=9),
    "connections.answerable": lambda u, o, h: u.connections.answerable(o),
    "connections.owners": lambda u, o, h: u.connections.owners(o, Scope()),
    "connections.others_under": lambda u, o, h: u.connections.others_under(o, "examplenet", ["business-1"]),
    "connections.logins_under": lambda u, o, h: u.connections.logins_under(o, "examplenet", "business-1"),
    "connections.set_parent": lambda u, o, h: u.connections.set_parent(
        o, [h.seeded.connections[0].id], Parent(id="stolen", name="stolen")
    ),
    "connections.detach": lambda u, o, h: u.connections.detach(o, [h.seeded.connections[0].id]),
    "parents.owners": lambda u, o, h: u.parents.owners(o, "examplenet", ["subject-ana"]),
    "parents.give": lambda u, o, h: u.parents.give(o, "examplenet", ["subject-ana"], h.seeded.raj.id),
    "connections.set_owner": lambda u, o, h: u.connections.set_owner(o, [h.seeded.connections[1].id], h.seeded.raj.id),
    "connections.set_state": lambda u, o, h: u.connections.set_state(
        o, h.seeded.connections[0].id, ConnectionState.RETIRED
    ),
    "connections.describe": lambda u, o, h: u.connections.describe(
        o, h.seeded.connections[0].id, account_name="stolen", client_id=h.seeded.brio.id
    ),
    "connections.hold": lambda u, o, h: u.connections.hold(o, [h.seeded.connections[0].id]),
    "connections.attach": lambda u, o, h: u.connections.attach(
        o,
        h.seeded.connections[0].id,
        authorization_id=h.seeded.authorization.id,
        connector_id=h.seeded.raj.id,
        account_name="stolen",
        parent=None,
        good_at=h.now,
    ),
    "connections.record_check": lambda u, o, h: u.connections.record_check(
        o, h.seeded.connections[0].id, good_at=h.now, doubt=None
    ),
    "lapses.end": lambda u, o, h: u.lapses.end(
        o, h.seeded.connections[0].id, at=h.now, how=LapseEnd.RECOVERED, by=None
    ),
    "lapses.get": lambda u, o, h: u.lapses.get(o, h.lapse_id),
    "lapses.views": lambda u, o, h: u.lapses.views(o, [h.lapse_id]),
    "lapses.history": lambda u, o, h: u.lapses.history(o, h.seeded.connections[0].id, limit=9),
    "lapses.claim": lambda u, o, h: u.lapses.claim(o, [h.lapse_id], Claim(person_id=h.seeded.raj.id, until=h.now)),
    "lapses.release": lambda u, o, h: u.lapses.release(o, [h.lapse_id], person_id=h.seeded.raj.id),
    "lapses.release_due": released,
    "lapses.notes": lambda u, o, h: u.lapses.notes(o, [h.lapse_id]),
    "lapses.mute": lambda u, o, h: u.lapses.mute(o, [Mute(lapse_id=h.lapse_id, person_id=h.seeded.raj.id, until=None)]),
    "lapses.mutes": lambda u, o, h: u.lapses.mutes(o, [h.lapse_id]),
    "lapses.stats": counted,
    "lapses.last_ended": lambda u, o, h: u.lapses.last_ended(o, h.seeded.connections[1].id),
    "subscriptions.remove": lambda u, o, h: u.subscriptions.remove(
        o, person_id=h.seeded.ana.id, channel=None, network=None, client_id=None, everything=True
    ),
    "subscriptions.of": lambda u, o, h: u.subscriptions.of(o, person_id=h.seeded.ana.id, channel=None),
    "subscriptions.of_readers": lambda u, o, h: u.subscriptions.of_readers(o, [(h.seeded.ana.id, None)]),
    "subscriptions.all": lambda u, o, h: u.subscriptions.all(o),
    "notices.redraw": lambda u, o, h: u.notices.redraw(o, [h.lapse_id], h.now),
    "notices.redraw_for": lambda u, o, h: u.notices.redraw_for(o, [h.lapse_id], h.seeded.ana.id, h.now),
    "notices.get_many": lambda u, o, h: u.notices.get_many(o, [h.notice_id]),
    "notices.deliveries": lambda u, o, h: u.notices.deliveries(o, h.notice_id),
    "notices.undelivered": lambda u, o, h: u.notices.undelivered(o, since=h.now),
    "notices.of_kind": lambda u, o, h: u.notices.of_kind(o, NoticeKind.LAPSED, since=h.now),
    "notices.is_recorded": lambda u, o, h: u.notices.is_recorded(o, h.event_id),
    "notices.delivered_to": lambda u, o, h: u.notices.delivered_to(o, [h.lapse_id]),
    "notices.recent": lambda u, o, h: u.notices.recent(o, since=h.now),
    "notices.grow": lambda u, o, h: u.notices.grow(o, h.notice_id, [h.ended_id]),
    "notices.first_delivered": lambda u, o, h: u.notices.first_delivered(o, [h.notice_id]),
    "notices.redraw_connections": lambda u, o, h: u.notices.redraw_connections(o, [h.seeded.connections[0].id], h.now),
    "notices.redraw_authorizations": lambda u, o, h: u.notices.redraw_authorizations(
        o, [h.seeded.authorization.id], h.now
    ),
    "notices.remind_next": lambda u, o, h: u.notices.remind_next(o, h.notice_id, was=h.now, step=2, at=None),
    "notices.gathered": lambda u, o, h: u.notices.gathered(o, h.seeded.ana.id, until=h.now),
    "notices.gathering_done": lambda u, o, h: u.notices.gathering_done(o, [h.warning_id]),
    "notices.shown": lambda u, o, h: u.notices.shown(o, [h.lapse_id]),
    "links.get": lambda u, o, h: u.links.get(o, h.link_id),
    "links.locator": lambda u, o, h: u.links.locator(o, h.link_id),
    "attempts.entrust": lambda u, o, h: u.attempts.entrust(o, h.attempt_id, code_verifier=Secret("stolen")),
    "attempts.finish": lambda u, o, h: u.attempts.finish(o, h.attempt_id, outcome="stolen", at=h.now),
    "attempts.get": lambda u, o, h: u.attempts.get(o, h.attempt_id),
    "attempts.keep": lambda u, o, h: u.attempts.keep(o, h.attempt_id, found=Secret("stolen"), until=h.now + DAY),
    "attempts.kept": lambda u, o, h: u.attempts.kept(o, h.attempt_id, h.now),
    "attempts.stand": lambda u, o, h: u.attempts.stand(o, h.attempt_id),
    "attempts.under_way": lambda u, o, h: u.attempts.under_way(
        o, link_id=h.link_id, authorization_id=h.seeded.authorization.id, now=h.now
    ),
    "attempts.take": lambda u, o, h: u.attempts.take(o, h.attempt_id, h.now),
    "forecasts.ending": lambda u, o, h: u.forecasts.ending(
        o, Scope(), after=h.now - DAY, before=h.now + 90 * DAY, limit=9
    ),
    "passes.of": lambda u, o, h: u.passes.of(o, h.seeded.ana.id, PassPurpose.ACCOUNTS),
    "passes.followed": lambda u, o, h: u.passes.followed(o, since=h.now - DAY, offset=0, limit=9),
    "passes.number_followed": lambda u, o, h: u.passes.number_followed(o, since=h.now - DAY),
    "passes.get": lambda u, o, h: u.passes.get(o, h.pass_id),
    "passes.withdraw_one": lambda u, o, h: u.passes.withdraw_one(o, h.pass_id, h.now),
    "passes.opened": lambda u, o, h: u.passes.opened(o, h.pass_id, h.now),
    "passes.bind": lambda u, o, h: u.passes.bind(o, h.pass_id, browser_hash=b"stolen"),
    "passes.use": lambda u, o, h: u.passes.use(o, h.pass_id, h.now),
    "passes.withdraw": lambda u, o, h: u.passes.withdraw(o, h.seeded.bo.id, None, h.now),
    "passes.withdraw_handed_out": lambda u, o, h: u.passes.withdraw_handed_out(o, person_id=h.seeded.mei.id),
    "rule_sets.all": lambda u, o, h: u.rule_sets.all(o),
    "preferences.of": lambda u, o, h: u.preferences.of(o, [h.seeded.ana.id]),
    "preferences.put": lambda u, o, h: u.preferences.put(o, preference(h.seeded.ana.id, Rhythm.WEEKLY)),
    "outages.tell": lambda u, o, h: u.outages.tell(o, h.outage_id, failing=9, now=h.now + DAY, apart=timedelta(0)),
    "outages.end": lambda u, o, h: u.outages.end(o, h.outage_id, h.now),
    "outages.get_many": lambda u, o, h: u.outages.get_many(o, [h.outage_id]),
    "outages.standing": lambda u, o, h: u.outages.standing(o),
    "outages.shares": lambda u, o, h: u.outages.shares(o, h.outage_id),
    "outages.redraw": lambda u, o, h: u.outages.redraw(o, h.outage_id, h.now),
    "outages.revive": lambda u, o, h: u.outages.revive(o, reason="", since=h.now - DAY, at=h.now),
    "drills.get": lambda u, o, h: u.drills.get(o, h.drill_id),
    "drills.latest": lambda u, o, h: u.drills.latest(o),
    "drills.answer": lambda u, o, h: u.drills.answer(o, h.drill_id, h.seeded.bo.id, h.now),
    "drills.answers": lambda u, o, h: u.drills.answers(o, h.drill_id),
    "drills.reported": lambda u, o, h: u.drills.reported(o, h.drill_id, h.now),
    "api_keys.all": lambda u, o, h: u.api_keys.all(o),
    "api_keys.revoke": lambda u, o, h: u.api_keys.revoke(o, h.key_id, h.now),
    "webhooks.endpoints": lambda u, o, h: u.webhooks.endpoints(o),
    "webhooks.endpoint": lambda u, o, h: u.webhooks.endpoint(o, h.endpoint_id),
    "webhooks.hearing_of": lambda u, o, h: u.webhooks.hearing_of(o, [h.seeded.connections[0].id]),
    "webhooks.move_endpoint": lambda u, o, h: u.webhooks.move_endpoint(o, h.endpoint_id, "https://stolen.example/"),
    "webhooks.remove_endpoint": lambda u, o, h: u.webhooks.remove_endpoint(o, h.endpoint_id),
    "webhooks.rotate": lambda u, o, h: u.webhooks.rotate(
        o, h.endpoint_id, Secret("whsec_stolen"), old_until=h.now + DAY
    ),
    "webhooks.enable": lambda u, o, h: u.webhooks.enable(o, h.endpoint_id),
    "webhooks.messages": lambda u, o, h: u.webhooks.messages(o, limit=9),
    "webhooks.replay": lambda u, o, h: u.webhooks.replay(o, at=h.now),
    "sources.all": lambda u, o, h: u.sources.all(o),
    "sources.rotate": lambda u, o, h: u.sources.rotate(o, h.source_id, Secret("whsec_stolen"), old_until=h.now + DAY),
    "sources.revoke": lambda u, o, h: u.sources.revoke(o, h.source_id, h.now),
    "host_reports.begin": reported,
    "host_reports.finish": lambda u, o, h: u.host_reports.finish(o, "report-1", "stolen"),
    "host_reports.advance": lambda u, o, h: u.host_reports.advance(o, h.seeded.connections[0].id, h.now + DAY),
    "host_reports.filled": lambda u, o, h: u.host_reports.filled(o, [h.ended_id]),
    "audit.number": lambda u, o, h: u.audit.number(o, actor_id=h.seeded.mei.id, action="a", subject="s", since=h.now),
    "audit.latest": lambda u, o, h: u.audit.latest(o, limit=9),
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def everything(storage: SqlStorage) -> dict[str, list[tuple[object, ...]]]:
    """Read every row of every table."""
    async with storage.reading_work() as work:
        return {
            table.name: sorted((tuple(row) for row in await work.rows(select(table))), key=repr)
            for table in organizations.metadata.sorted_tables
        }


def test_every_method_that_names_an_organization_is_walked() -> None:
    walked = {
        f"{repository}.{name}"
        for repository, port in get_type_hints(UnitOfWork).items()
        for name, method in inspect.getmembers(port, inspect.isfunction)
        if "organization_id" in inspect.signature(method).parameters
    }
    assert walked == set(CALLS)


@pytest.mark.behaviour("A-1")
async def test_nothing_of_another_organization_is_seen_or_changed(storage: SqlStorage, clock: FakeClock) -> None:
    house = await furnished(storage, clock)
    stranger = OrganizationId(new_id(clock.now()))
    before = await everything(storage)
    for name, call in CALLS.items():
        try:
            async with storage.transaction() as uow:
                found = await call(uow, stranger, house)
        except StorageError:  # not there, or refused by a key that cannot leave the organization
            continue
        if isinstance(found, Page):
            found = found.rows or found.total
        assert not found, f"{name} gave {found!r}"
    assert await everything(storage) == before


async def test_the_same_calls_do_find_their_own(storage: SqlStorage, clock: FakeClock) -> None:
    """So that the walk above proves something."""
    house = await furnished(storage, clock)
    nothing_to_give = {
        "organizations.get", "notices.delivered_to", "authorizations.check_soon", "connections.set_parent",
        "connections.detach", "connections.hold",
        "parents.give", "connections.attach", "connections.record_check",
        "outages.redraw", "outages.revive",
        "people.give_email", "people.saw_list", "people.look_again", "authorizations.reconsider_warnings",
        "passes.opened", "passes.withdraw_one", "authorizations.settle_refresh", "attempts.keep", "attempts.entrust",
            "notices.first_delivered", "host_reports.finish",
    }  # fmt: skip
    last = [  # in an order in which none takes away what the next one asks for
        "lapses.release_due", "lapses.mute", "lapses.claim", "lapses.release", "lapses.end", "connections.set_owner",
        "connections.set_state", "authorizations.warn_next", "authorizations.store_refreshed", "notices.remind_next",
        "notices.gathered", "notices.gathering_done", "notices.grow", "attempts.kept", "attempts.take",
        "attempts.finish", "passes.bind", "passes.use", "passes.withdraw", "drills.answer", "drills.reported",
        "outages.end",
        "preferences.put", "subscriptions.remove", "people.looked_at", "people.unlink", "people.merge",
        "connections.describe", "webhooks.move_endpoint", "webhooks.rotate", "webhooks.enable", "webhooks.replay",
        "webhooks.remove_endpoint",
    ]  # fmt: skip
    assert set(last) | nothing_to_give <= set(CALLS)
    for name in [*sorted(set(CALLS) - set(last) - nothing_to_give), *last]:
        async with storage.transaction() as uow:
            found = await CALLS[name](uow, house.seeded.organization_id, house)
        assert found, f"{name} gave nothing"
