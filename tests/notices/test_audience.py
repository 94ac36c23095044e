"""Who hears of a lapse, case by case."""

from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.notices.audience import Circle, audience, copies_administrators, rhythm_for
from commands.access import may_see
from commands.ids import ClientId, LapseId, OrganizationId, PersonId, WorkspaceId
from commands.model import (
    ConnectionView,
    Mute,
    Person,
    Preference,
    Rhythm,
    Role,
    Subscription,
    Topic,
    Workspace,
)
from commands.ports.notices import Part
from tests.notices.cases import ACME, BRIO, NEWS, NOW, ORGANIZATION, person, subscription, view

ANA, OTTO, MEI, LEE = person(1), person(2), person(3, Role.STAFF), person(4, Role.STAFF, client_ids=frozenset({BRIO}))
CHIEF = person(10, Role.PRIMARY_ADMINISTRATOR)
ADMIN, QUIET = person(11, Role.ADMINISTRATOR), person(12, Role.ADMINISTRATOR, immediate_notices=False)
GONE = person(13, left_at=NOW)
ALL = {one.id: one for one in (ANA, OTTO, MEI, LEE, CHIEF, ADMIN, QUIET, GONE)}


@dataclass(frozen=True)
class Case:
    says: str
    views: tuple[ConnectionView, ...]
    hear: dict[str, list[str]]
    """Who hears of which accounts: "Person 1 connector" and the accounts' ids; a channel by its id."""
    subscriptions: tuple[Subscription, ...] = ()
    administrators: tuple[Person, ...] = ()
    gone: tuple[Person, ...] = ()
    others: tuple[Person, ...] = ()
    """Known to hold a role under the parent "B1" of examplenet."""
    workspaces: tuple[Workspace, ...] = ()
    not_theirs: tuple[tuple[ConnectionView, Person], ...] = ()
    copies: bool = True

    def heard(self) -> dict[str, list[str]]:
        circle = Circle(
            administrators=self.administrators,
            subscriptions=self.subscriptions,
            subscribers=ALL,
            workspaces=self.workspaces,
            gone=frozenset(one.id for one in self.gone),
            others={("examplenet", "B1"): self.others},
            mutes=[
                Mute(lapse_id=one.lapse.id, person_id=who.id, until=None)
                for one, who in self.not_theirs
                if one.lapse is not None
            ],
        )
        return {
            f"{reader.channel.external_id if reader.channel else reader.person.name} {reader.part.value}": [
                one.connection.account_id for one in told
            ]
            for reader, told in audience(self.views, circle, copies=self.copies).items()
        }


def narrowed(*clients: ClientId) -> Workspace:
    """The workspace of the channel NEWS, in which only these clients may be spoken of."""
    return Workspace(
        id=WorkspaceId(UUID(int=70)),
        organization_id=ORGANIZATION,
        platform=NEWS.platform,
        external_id=NEWS.tenant,
        name="A client's own",
        client_ids=frozenset(clients),
    )


CASES = [
    Case("the connector hears", (view(1, connector=ANA),), {"Person 1 connector": ["1"]}),
    Case(
        "an owner who is somebody else hears as well",
        (view(1, connector=ANA, owner=OTTO),),
        {"Person 1 connector": ["1"], "Person 2 owner": ["1"]},
    ),
    Case(
        "an owner who is the connector hears once", (view(1, connector=ANA, owner=ANA),), {"Person 1 connector": ["1"]}
    ),
    Case(
        "a connector who subscribed hears once, as the connector",
        (view(1, connector=ANA),),
        {"Person 1 connector": ["1"]},
        (subscription(1, ANA),),
    ),
    Case(
        "the part is each lapse's own",
        (view(1, connector=ANA), view(2, connector=OTTO, owner=ANA)),
        {"Person 1 connector": ["1"], "Person 2 connector": ["2"], "Person 1 owner": ["2"]},
    ),
    Case(
        "administrators get copies, the primary one always, others unless they said no",
        (view(1, connector=ANA),),
        {"Person 1 connector": ["1"], "Person 10 administrator": ["1"], "Person 11 administrator": ["1"]},
        administrators=(CHIEF, ADMIN, QUIET),
    ),
    Case(
        "an administrator who takes no copies but subscribed hears as a subscriber",
        (view(1),),
        {"Person 12 subscriber": ["1"]},
        (subscription(1, QUIET),),
        (QUIET,),
    ),
    Case(
        "an administrator who connected it hears as the connector",
        (view(1, connector=ADMIN),),
        {"Person 11 connector": ["1"]},
        administrators=(ADMIN,),
    ),
    Case(
        "a subscription to a network is to nothing else",
        (view(1), view(2, network="othernet")),
        {"Person 3 subscriber": ["2"]},
        (subscription(1, MEI, network="othernet"),),
    ),
    Case(
        "a subscription to a client is to nothing else",
        (view(1), view(2, client=BRIO)),
        {"Person 3 subscriber": ["2"]},
        (subscription(1, MEI, client=BRIO),),
    ),
    Case(
        "two subscriptions that cover a lapse tell it once",
        (view(1),),
        {"Person 3 subscriber": ["1"]},
        (subscription(1, MEI), subscription(2, MEI, client=ACME)),
    ),
    Case(
        "staff limited to some clients hear of no others",
        (view(1), view(2, client=BRIO)),
        {"Person 4 subscriber": ["2"]},
        (subscription(1, LEE),),
    ),
    Case(
        "a channel hears what whoever set it up may see",
        (view(1), view(2, client=BRIO)),
        {"C1 channel": ["2"]},
        (subscription(1, LEE, channel=NEWS),),
    ),
    Case(
        "a channel hears beside the person who set it up",
        (view(1, connector=MEI),),
        {"Person 3 connector": ["1"], "C1 channel": ["1"]},
        (subscription(1, MEI, channel=NEWS),),
    ),
    Case("somebody who left hears nothing", (view(1, connector=GONE),), {}, (subscription(1, GONE),)),
    Case(
        "staff hear of what lapses in their list, and get no message unless they opted in",
        (view(1, connector=ANA),),
        {"Person 1 connector": ["1"]},
    ),
    Case(
        "of a connector who left administrators hear as those who can take over, copies or not",
        (view(1, connector=GONE, owner=OTTO),),
        {"Person 2 owner": ["1"], "Person 10 stand_in": ["1"], "Person 12 stand_in": ["1"]},
        administrators=(CHIEF, QUIET),
    ),
    Case(
        "a connector whose chat accounts are gone is still written to, and others take over",
        (view(1, connector=ANA),),
        {"Person 1 connector": ["1"], "Person 11 stand_in": ["1"]},
        administrators=(ADMIN,),
        gone=(ANA,),
    ),
    Case(
        "those who hold a role under the same parent take over too, if they may see it",
        (view(1, connector=GONE, parent="B1"), view(2, connector=GONE, parent="B2"), view(3, parent="B1")),
        {"Person 3 stand_in": ["1"]},
        gone=(GONE,),
        others=(MEI, LEE, OTTO),
    ),
    Case(
        "an owner who is an administrator hears once, as the owner, though the connector is gone",
        (view(1, connector=GONE, owner=ADMIN),),
        {"Person 11 owner": ["1"]},
        administrators=(ADMIN,),
    ),
    Case("nobody as a connector is not somebody who is gone", (view(1),), {}, administrators=(QUIET,)),
    Case(
        "a channel of a workspace that is narrowed hears of its clients alone, whoever asked",
        (view(1), view(2, client=BRIO)),
        {"C1 channel": ["2"]},
        (subscription(1, MEI, channel=NEWS),),
        workspaces=(narrowed(BRIO),),
    ),
    Case(
        "what a person hears is not narrowed by where they are",
        (view(1), view(2, client=BRIO)),
        {"Person 3 subscriber": ["1", "2"]},
        (subscription(1, MEI),),
        workspaces=(narrowed(BRIO),),
    ),
    Case(
        "who said that it is not theirs hears no more of it in any part, others do",
        (view(1, connector=ANA, owner=OTTO),),
        {"Person 2 owner": ["1"]},
        (subscription(1, ANA),),
        not_theirs=((view(1), ANA),),
    ),
    Case(
        "of what is only a warning administrators get no copy, and take over all the same",
        (view(1, connector=ANA), view(2, connector=GONE)),
        {"Person 1 connector": ["1"], "Person 10 stand_in": ["2"]},
        administrators=(CHIEF,),
        copies=False,
    ),
    Case(
        "a subscriber of another part of the product, who is an owner, hears only of their own",
        (view(1, owner=OTTO), view(2)),
        {"Person 2 owner": ["1"]},
        (subscription(1, OTTO),),
    ),
]


@pytest.mark.behaviour("N-1", "N-2", "N-3", "N-5", "N-7", "N-8", "N-9", "N-11", "N-12", "X-11")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_those_who_are_to_hear_hear(case: Case) -> None:
    assert case.heard() == case.hear


@pytest.mark.behaviour("N-16")
def test_the_most_exact_wish_wins() -> None:
    def wish(rhythm: Rhythm, network: str | None = None, client: ClientId | None = None) -> Preference:
        return Preference(person_id=MEI.id, topic=Topic.LAPSES, network=network, client_id=client, rhythm=rhythm)

    wishes = [wish(Rhythm.WEEKLY)]
    assert rhythm_for(wishes, MEI.id, Topic.LAPSES, "examplenet", ACME) is Rhythm.WEEKLY
    wishes.append(wish(Rhythm.IMMEDIATE, network="examplenet"))
    assert rhythm_for(wishes, MEI.id, Topic.LAPSES, "examplenet", ACME) is Rhythm.IMMEDIATE
    wishes.append(wish(Rhythm.DAILY, client=ACME))
    assert rhythm_for(wishes, MEI.id, Topic.LAPSES, "examplenet", ACME) is Rhythm.DAILY
    wishes.append(wish(Rhythm.WEEKLY, "examplenet", ACME))
    assert rhythm_for(wishes, MEI.id, Topic.LAPSES, "examplenet", ACME) is Rhythm.WEEKLY
    assert rhythm_for(wishes, MEI.id, Topic.LAPSES, "examplenet", BRIO) is Rhythm.IMMEDIATE
    assert rhythm_for(wishes, MEI.id, Topic.WARNINGS, "examplenet", ACME) is Rhythm.IMMEDIATE
    assert rhythm_for(wishes, ANA.id, Topic.LAPSES, "examplenet", ACME) is Rhythm.IMMEDIATE


@pytest.mark.behaviour("N-6")
def test_administrators_get_one_copy_of_a_last_reminder_whoever_of_both_is_reminded() -> None:
    one = view(1, connector=ANA, owner=OTTO)
    circle = Circle(administrators=(), subscriptions=(), subscribers={})

    def copies(reader: Person, around: Circle = circle, held: frozenset[PersonId] = frozenset()) -> bool:
        return copies_administrators(one, reader.id, around, held)

    assert (copies(ANA), copies(OTTO)) == (True, False)
    assert (copies(ANA, held=frozenset({ANA.id})), copies(OTTO, held=frozenset({ANA.id}))) == (False, True)
    assert copies(OTTO, replace(circle, gone=frozenset({ANA.id})))


def test_a_channel_that_two_people_subscribed_hears_each_lapse_once() -> None:
    views = (view(1), view(2, client=BRIO))
    both = (subscription(1, LEE, channel=NEWS), subscription(2, MEI, channel=NEWS))
    told = audience(views, Circle(administrators=(), subscriptions=both, subscribers=ALL))
    assert {reader.person.name: [one.connection.account_id for one in own] for reader, own in told.items()} == {
        "Person 4": ["2"],
        "Person 3": ["1"],
    }


def test_a_person_of_another_organization_hears_nothing() -> None:
    stranger = replace(MEI, organization_id=OrganizationId(UUID(int=2)))
    circle = Circle(administrators=(), subscriptions=[subscription(1, MEI)], subscribers={MEI.id: stranger})
    assert audience([view(1)], circle) == {}


PEOPLE = st.sampled_from([None, *ALL.values()])
SUBSCRIPTIONS = st.lists(
    st.builds(
        subscription,
        st.integers(1, 99),
        st.sampled_from(list(ALL.values())),
        channel=st.sampled_from([None, NEWS]),
        network=st.sampled_from([None, "examplenet", "othernet"]),
        client=st.sampled_from([None, ACME, BRIO]),
    ),
    max_size=6,
)
VIEWS = st.lists(
    st.builds(
        view,
        st.integers(1, 99),
        connector=PEOPLE,
        owner=PEOPLE,
        client=st.sampled_from([ACME, BRIO]),
        network=st.sampled_from(["examplenet", "othernet"]),
    ),
    max_size=5,
    unique_by=lambda one: one.connection.id,
)


@pytest.mark.behaviour("N-8", "N-11", "N-12", "X-11")
@settings(deadline=None)
@given(
    views=VIEWS,
    subscriptions=SUBSCRIPTIONS,
    gone=st.frozensets(st.sampled_from(sorted(ALL))),
    refusing=st.frozensets(st.tuples(st.integers(1, 99), st.sampled_from(sorted(ALL)))),
    workspaces=st.lists(st.just(narrowed(BRIO)), max_size=1),
    copies=st.booleans(),
)
def test_nobody_hears_twice_nor_of_what_they_may_not_see_or_said_is_not_theirs(
    *,
    views: list[ConnectionView],
    subscriptions: list[Subscription],
    gone: frozenset[PersonId],
    refusing: frozenset[tuple[int, PersonId]],
    workspaces: list[Workspace],
    copies: bool,
) -> None:
    refused = {(LapseId(UUID(int=4000 + number)), who) for number, who in refusing}
    circle = Circle(
        administrators=(CHIEF, ADMIN, QUIET),
        subscriptions=subscriptions,
        subscribers=ALL,
        workspaces=workspaces,
        gone=gone,
        mutes=[Mute(lapse_id=lapse_id, person_id=who, until=None) for lapse_id, who in refused],
    )
    pairs = []
    for reader, told in audience(views, circle, copies=copies).items():
        for one in told:
            assert may_see(reader.person, one.connection)
            assert (reader.channel is not None) == (reader.part is Part.CHANNEL)
            assert reader.part is not Part.STAND_IN or circle.is_gone(one.connector)
            if reader.channel is None:
                assert one.lapse is not None
                assert (one.lapse.id, reader.person.id) not in refused
            elif workspaces:
                assert one.connection.client_id == BRIO
            pairs.append((reader.channel or reader.person.id, one.connection.id))
    assert len(pairs) == len(set(pairs))
