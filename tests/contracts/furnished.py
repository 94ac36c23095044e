"""A store with one organization that has something of everything, for walks over all that it holds."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from commands.auditing import Actor
from commands.hosting import add_endpoint, add_source, make_key
from commands.ids import (
    AttemptId,
    DeliveryId,
    DrillId,
    EventId,
    LapseId,
    LinkId,
    NoteId,
    NoticeId,
    PassId,
    PersonId,
    SessionId,
    SubscriptionId,
    WebhookMessageId,
    new_id,
    to_wire,
)
from commands.model import (
    ConnectionState,
    Drill,
    LapseEnd,
    LapseNote,
    Mute,
    Preference,
    Rhythm,
    Subscription,
    Topic,
)
from commands.ports.auditing import AuditEntry
from commands.ports.chat import Address, AddressKind, MessageRef
from commands.ports.events import Event, EventKind
from commands.ports.hosting import GapFilled, MessageState, SendOutcome, WebhookMessage
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.reconnecting import Attempt, Link, Pass, PassPurpose
from commands.rules import RuleSet
from commands.secret import Secret
from storage import SqlStorage, secret_hash
from tests.support.clock import FakeClock
from tests.support.outages import an_outage
from tests.support.seed import Seeded, lapse, seed

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """An organization with something in every table, and whose rows are asked for."""

    seeded: Seeded
    lapse_id: object
    notice_id: object
    link_id: object
    attempt_id: object
    ended_id: object
    warning_id: object
    event_id: object
    identity_id: object
    pass_id: object
    drill_id: object
    outage_id: object
    key_id: object
    endpoint_id: object
    source_id: object
    now: datetime


def preference(person_id: PersonId, rhythm: Rhythm) -> Preference:
    return Preference(person_id=person_id, topic=Topic.LAPSES, network=None, client_id=None, rhythm=rhythm)


async def hosted(storage: SqlStorage, house: Seeded, ended: LapseId, now: datetime) -> tuple[object, object, object]:
    """A key, an endpoint that is disabled with a message that was given up, a source and reports."""
    organization_id = house.organization_id
    caller = Actor(organization_id=organization_id, origin="test")
    async with storage.transaction() as uow:
        key, _ = await make_key(uow, caller, name="host", life=None, now=now)
        added = await add_endpoint(uow, caller, "https://hooks.example.com/", now=now)
        source, _ = await add_source(uow, caller, "host", now)
        assert added is not None
        endpoint = added[0]
        message = WebhookMessage(
            id=WebhookMessageId(new_id(now)),
            organization_id=organization_id,
            endpoint_id=endpoint.id,
            event_id=EventId(new_id(now)),
            type="lapse.opened",
            body="{}",
            created_at=now,
            next_at=now,
        )
        await uow.webhooks.add_messages([message])
        await uow.host_reports.begin(organization_id, "report-1", now)
        await uow.host_reports.finish(organization_id, "report-1", "opened")
        await uow.host_reports.advance(organization_id, house.connections[0].id, now)
        await uow.host_reports.fill(GapFilled(lapse_id=ended, organization_id=organization_id, at=now))
    (due,) = await storage.host.claim_messages(now=now, endpoints=1, each=1, lease=DAY)
    gone = SendOutcome(state=MessageState.DEAD, status=410, error="gone", at=now, next_at=now, disable="gone")
    assert await storage.host.record_outcome(due, gone)
    return key.id, endpoint.id, source.id


async def furnished(storage: SqlStorage, clock: FakeClock) -> House:
    """Put something into every table of an organization."""
    now = clock.now()
    seeded = await seed(storage, now, ends_at=now + timedelta(days=9))
    opened, _ = await lapse(storage, seeded.connections[0], now)
    ended, _ = await lapse(storage, seeded.connections[1], now)
    notice = Notice(
        id=NoticeId(new_id(now)),
        organization_id=seeded.organization_id,
        kind=NoticeKind.LAPSED,
        part=Part.CONNECTOR,
        person_id=seeded.ana.id,
        channel=None,
        lapse_ids=(opened.id,),
        created_at=now,
        remind_at=now,
    )
    warning = replace(
        notice,
        id=NoticeId(new_id(now)),
        kind=NoticeKind.EXPIRING,
        lapse_ids=(),
        authorization_ids=(seeded.authorization.id,),
        data={"connection": to_wire(seeded.connections[0].id)},
        remind_at=None,
        digest_at=now,
    )
    delivery = Delivery(
        id=DeliveryId(new_id(now)),
        organization_id=seeded.organization_id,
        notice_id=notice.id,
        address=Address(platform="slack", tenant="T1", kind=AddressKind.DIRECT, external_id="U-ANA"),
        lane="slack:T1",
        priority=Priority.FIRST,
        state=DeliveryState.DUE,
        wanted=1,
        shown=0,
        ref=MessageRef(platform="slack", tenant="T1", destination="D1", message="1"),
        attempts=0,
        next_at=now,
        created_at=now,
    )
    nobodys = replace(notice, kind=NoticeKind.THIN_REACH, lapse_ids=(), remind_at=None)
    happened = Event(id=EventId(new_id(now)), organization_id=seeded.organization_id, kind=EventKind.REACH_THIN, at=now)
    link = Link(
        id=LinkId(new_id(now)),
        organization_id=seeded.organization_id,
        person_id=seeded.ana.id,
        connection_id=opened.connection_id,
        created_at=now,
    )
    attempt = Attempt(
        id=AttemptId(new_id(now)),
        organization_id=seeded.organization_id,
        link_id=link.id,
        person_id=seeded.ana.id,
        connection_id=opened.connection_id,
        authorization_id=seeded.authorization.id,
        network="examplenet",
        session_id=SessionId(new_id(now)),
        redirect_uri="http://127.0.0.1/",
        code_verifier=Secret("verifier"),
        opened_at=now,
        expires_at=now + timedelta(minutes=10),
    )
    bearer = Pass(
        id=PassId(new_id(now)),
        organization_id=seeded.organization_id,
        person_id=seeded.ana.id,
        purpose=PassPurpose.ACCOUNTS,
        made_by=seeded.mei.id,
        created_at=now,
        expires_at=now + DAY,
        followed_at=now,
    )
    drill = Drill(
        id=DrillId(new_id(now)),
        organization_id=seeded.organization_id,
        client_id=None,
        started_by=seeded.mei.id,
        started_at=now,
        ends_at=now + DAY,
    )
    note = LapseNote(
        id=NoteId(new_id(now)),
        organization_id=seeded.organization_id,
        lapse_id=opened.id,
        person_id=seeded.ana.id,
        person_name=seeded.ana.name,
        text="asked the client",
        at=now,
    )
    outage = an_outage(now)
    assert await storage.outages.open(outage)
    async with storage.transaction() as uow:
        await uow.lapses.end(seeded.organization_id, ended.connection_id, at=now, how=LapseEnd.RECOVERED, by=None)
        await uow.connections.set_state(seeded.organization_id, ended.connection_id, ConnectionState.ACTIVE)
        await uow.notices.record([happened])
        await uow.notices.plan(
            [notice, warning, replace(nobodys, id=NoticeId(new_id(now)))],
            [delivery, replace(delivery, id=DeliveryId(new_id(now)), notice_id=warning.id)],
        )
        await uow.links.ensure(link)
        await uow.attempts.open(
            attempt, state_hash=secret_hash("state"), browser_hash=secret_hash("browser"), take_over=False
        )
        await uow.attempts.keep(seeded.organization_id, attempt.id, found=Secret("found"), until=now + DAY)
        await uow.parents.give(seeded.organization_id, "examplenet", ["subject-ana"], seeded.raj.id)
        await uow.passes.add(bearer, secret_hash=b"secret")
        await uow.passes.add(replace(bearer, id=PassId(new_id(now)), person_id=seeded.bo.id), secret_hash=b"other")
        await uow.passes.add(replace(bearer, id=PassId(new_id(now)), person_id=seeded.mei.id), secret_hash=b"third")
        await uow.rule_sets.put(RuleSet(organization_id=seeded.organization_id, network=None, warning_days=()))
        await uow.preferences.put(seeded.organization_id, preference(seeded.ana.id, Rhythm.DAILY))
        assert await uow.outages.tell(seeded.organization_id, outage.id, failing=1, now=now, apart=timedelta(0))
        await uow.drills.add(drill)
        await uow.drills.answer(seeded.organization_id, drill.id, seeded.ana.id, now)
        await uow.lapses.add_note(note)
        await uow.lapses.mute(seeded.organization_id, [Mute(lapse_id=opened.id, person_id=seeded.ana.id, until=now)])
        identity = await uow.people.identity(seeded.organization_id, platform="slack", tenant="T1", user="U-ANA")
        assert identity is not None
        await uow.subscriptions.add(
            Subscription(
                id=SubscriptionId(new_id(now)),
                organization_id=seeded.organization_id,
                person_id=seeded.ana.id,
                channel=None,
                network=None,
                client_id=None,
                created_at=now,
            )
        )
        await uow.audit.write(
            AuditEntry(
                organization_id=seeded.organization_id,
                at=now,
                actor_id=seeded.mei.id,
                origin="cli",
                action="a",
                subject="s",
            )
        )
    lease = timedelta(minutes=1)
    await storage.queues.claim_check(seeded.organization_id, seeded.authorization.id, now=now, lease=lease)
    key_id, endpoint_id, source_id = await hosted(storage, seeded, ended.id, now)
    return House(
        seeded=seeded,
        lapse_id=opened.id,
        notice_id=notice.id,
        link_id=link.id,
        attempt_id=attempt.id,
        ended_id=ended.id,
        warning_id=warning.id,
        event_id=happened.id,
        identity_id=identity.id,
        pass_id=bearer.id,
        drill_id=drill.id,
        outage_id=outage.id,
        key_id=key_id,
        endpoint_id=endpoint_id,
        source_id=source_id,
        now=now,
    )
