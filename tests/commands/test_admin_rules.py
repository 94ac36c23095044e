"""`/lapse-admin` about rules: grouping, reminders, warnings, working hours, and everything that is set."""

from datetime import time, timedelta

import pytest

from commands.handlers.hours import NotHours, hours_words, read_hours
from commands.model import WorkingHours
from commands.ports.network import Grouping
from commands.rules import REMINDER_DAYS, RESTART_DAY, WARNING_DAYS, Cadence, Rules, rules_for
from tests.commands.plain import plain
from tests.commands.world import World


async def says(world: World, words: str | dict[str, str]) -> str:
    return plain(await world.typed("ada", "lapse-admin", words))


async def rules(world: World, network: str = "tiktok") -> Rules:
    async with world.storage.reading() as uow:
        changed = await uow.rule_sets.all(world.organization.id)
    return rules_for(network, world.services.networks[network].spec, changed)


@pytest.mark.behaviour("N-6")
@pytest.mark.parametrize(
    ("words", "cadence"),
    [
        ("reminders tiktok 2,7,12 restart 20", Cadence(days=(2, 7, 12), restart=20)),
        ("reminders TikTok 2 7 12 restart 20", Cadence(days=(2, 7, 12), restart=20)),
        ("reminders tt 12, 2 and 7", Cadence(days=(2, 7, 12), restart=17)),
        ("reminders 3 restart never", Cadence(days=(3,), restart=None)),
        ("reminders all 3", Cadence(days=(3,), restart=8)),
        ("reminders tiktok off", Cadence(days=(), restart=None)),
        (
            {"subcommand": "reminders", "network": "tiktok", "days": "1,2", "restart": "9"},
            Cadence(days=(1, 2), restart=9),
        ),
    ],
)
async def test_the_cadence_of_reminders_is_said_in_days(
    world: World, words: str | dict[str, str], cadence: Cadence
) -> None:
    assert (await says(world, words)).startswith("✅")
    assert (await rules(world)).cadence == cadence


@pytest.mark.behaviour("N-6", "D-2", "N-4")
async def test_a_networks_own_rule_goes_before_that_for_all_and_default_takes_it_back(world: World) -> None:
    await says(world, "reminders 5")
    await says(world, "reminders tiktok 9")
    await says(world, "warnings 10,5")
    await says(world, "grouping tiktok summary")
    assert await rules(world) == Rules(
        grouping=Grouping.SUMMARY, cadence=Cadence(days=(9,), restart=14), warning_days=(10, 5)
    )
    assert (await rules(world, "linkedin")).cadence == Cadence(days=(5,), restart=10)
    for words in ("reminders tiktok default", "reminders default", "warnings default", "grouping tiktok default"):
        assert (await says(world, words)).startswith("✅")
    assert await rules(world) == Rules(
        grouping=Grouping.EACH,
        cadence=Cadence(days=REMINDER_DAYS, restart=RESTART_DAY),
        warning_days=WARNING_DAYS,
    )


@pytest.mark.behaviour("D-2")
async def test_a_change_of_warnings_has_the_ends_looked_at_anew(world: World) -> None:
    authorization_id, now = world.authorizations["linkedin raj"], world.clock.now()
    async with world.storage.transaction() as uow:
        authorization = await uow.authorizations.get(world.organization.id, authorization_id)
        assert await uow.authorizations.warn_next(
            world.organization.id, authorization_id, ends_at=authorization.ends_at, at=now + timedelta(days=4)
        )
    assert await world.storage.queues.due_warnings(now=now, limit=10) == []
    await says(world, "warnings linkedin 6,2")
    (due,) = await world.storage.queues.due_warnings(now=world.clock.now(), limit=10)
    assert due.authorization_ids == (authorization_id,)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("reminders", "On which days after the first notice?"),
        ("reminders tictok 3", "I don't know a network called “tictok”. Did you mean *tiktok*?"),
        ("reminders tiktok 3,x", "“x” is not a number of days"),
        ("reminders 0", "“0” is not a number of days"),
        ("reminders 999", "“999” is not a number of days"),
        ("reminders 5 restart 4", "The series can start over on one day, after day 5."),
        ("reminders " + ",".join(map(str, range(1, 30))), "at most 20 days"),
        ("warnings", "How many days before the end?"),
        ("warnings 1,-3", "“-3” is not a number of days"),
        ("grouping", "Which network, or all?"),
        ("grouping tiktok", "How: each lapse by itself"),
        ("grouping tiktok sumary", "How: each lapse by itself"),
        ("hours", "When may reminders come?"),
        ("hours 18-9", "The hours have to end later than they begin"),
        ("hours mon 25-26", "25 is not a time of day."),
        ("hours mon 9-18 madrid", "Did you mean Europe/Madrid?"),
        ("hours mon 9-18 Europe/Madird", "Did you mean Europe/Madrid?"),
        ("hours blue moon", "I don't know a day or a time zone “blue”."),
        ("workspace Acmee", "I don't know a client called “Acmee”. Did you mean *Acme*?"),
        ("workspace", "Here all clients are spoken of. Which clients?"),
    ],
)
async def test_what_cannot_be_set_is_said_and_changes_nothing(world: World, words: str, said: str) -> None:
    assert said in await says(world, words)
    async with world.storage.reading() as uow:
        assert await uow.audit.latest(world.organization.id, limit=5) == []


@pytest.mark.behaviour("N-15")
@pytest.mark.parametrize(
    ("typed", "days", "begin", "end", "zone"),
    [
        ("mon-fri 9-18 Europe/Madrid", range(5), time(9), time(18), "Europe/Madrid"),
        ("9-18 europe/madrid", None, time(9), time(18), "Europe/Madrid"),
        ("sun-thu 10:00-17:30", (6, 0, 1, 2, 3), time(10), time(17, 30), None),
        ("Monday, Wed 9.30 – 12", (0, 2), time(9, 30), time(12), None),
        ("daily 8am to 6pm", range(7), time(8), time(18), None),
        ("fri 9-5pm", (4,), time(9), time(17), None),
        ("sat 0-24", (5,), time(0), time(23, 59), None),
        ("UTC", None, None, None, "UTC"),
    ],
)
def test_working_hours_are_read_as_people_type_them(
    typed: str, days: tuple[int, ...] | None, begin: time | None, end: time | None, zone: str | None
) -> None:
    read = read_hours(typed)
    assert (read.days, read.begin, read.end, read.zone) == (None if days is None else frozenset(days), begin, end, zone)


@pytest.mark.parametrize("typed", ["", "9", "mon-fry 9-18", "9-18 mon Europe/Rome Europe/Oslo", "13pm-14pm", "9:75-10"])
def test_what_says_no_hours_is_refused(typed: str) -> None:
    with pytest.raises(NotHours):
        read_hours(typed)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (range(5), "Monday to Friday, 09:00 to 18:00"),
        ((6, 0, 1, 2, 3), "Sunday to Thursday, 09:00 to 18:00"),
        ((0, 2), "Monday and Wednesday, 09:00 to 18:00"),
        (range(7), "every day, 09:00 to 18:00"),
    ],
)
def test_working_hours_are_said_in_words(days: tuple[int, ...], words: str) -> None:
    assert hours_words(WorkingHours(days=frozenset(days))) == words


@pytest.mark.behaviour("N-15")
async def test_hours_and_time_zone_are_set_and_what_is_not_said_stays(world: World) -> None:
    await says(world, "hours mon-thu 8-16 Europe/Madrid")
    said = await says(world, "hours 10-17")
    assert "Monday to Thursday, 10:00 to 17:00" in said
    await says(world, {"subcommand": "hours", "hours": "mon-thu", "zone": "Asia/Tokyo"})
    async with world.storage.reading() as uow:
        organization = await uow.organizations.get(world.organization.id)
    assert organization.time_zone == "Asia/Tokyo"
    assert organization.working_hours == WorkingHours(days=frozenset(range(4)), begin=time(10), end=time(17))
    assert organization.support_contact == world.organization.support_contact


@pytest.mark.behaviour("C-8")
async def test_everything_that_is_set_is_one_answer(world: World) -> None:
    await says(world, "reminders tiktok off")
    await says(world, "workspace Acme, Brio")
    await says(world, "workspace all")
    said = await says(world, "settings")
    assert "Reminders come: Monday to Friday, 09:00 to 18:00" in said
    assert "• *Ada King*, primary administrator, copied on first notices" in said
    assert "• *Agency* (Chatter): all clients" in said
    assert "• *TikTok* (changed): each lapse by itself; no reminders come after the first notice;" in said
    assert "• *LinkedIn*: each lapse by itself; reminders come on days 2, 7, 12, 17 and 22" in said


@pytest.mark.behaviour("C-8")
async def test_networks_with_the_same_rules_stand_in_one_line_of_the_settings(world: World) -> None:
    said = await says(world, "settings")
    assert "• *LinkedIn and TikTok*: each lapse by itself; reminders come on days 2, 7, 12, 17 and 22" in said
