"""`/lapse-admin hours` and `settings`: working hours and time zone, and everything that is set, in one answer."""

from collections.abc import Sequence
from dataclasses import replace

from commands.access import takes_immediate_notices
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import network_name, spec_of
from commands.handlers.asked import Asked
from commands.handlers.hours import NotHours, hours_words, read_hours, zone_named
from commands.handlers.roles import ROLE_NAMES
from commands.handlers.tuning import cadence_words, warning_words
from commands.messages import Bold, Code, Facts, Heading, Line, Mark, Message, Note, Part, Text, Tone, line, text
from commands.model import Client, Organization, Person, Workspace
from commands.ports.network import Grouping
from commands.rules import RuleSet, rules_for
from commands.wording import listed, named, shown

_GROUPING = {Grouping.EACH: "each lapse by itself", Grouping.SUMMARY: "one message for each login"}
MOST_NAMED = 12  # workspaces or administrators that are told one by one


async def hours(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin hours mon-fri 9-18 Europe/Madrid`: when reminders may come (N-15)."""
    words = asked.need("hours", "When may reminders come? Such as mon-fri 9-18 Europe/Madrid.")
    try:
        typed = read_hours(words)
        zone = asked.get("zone")
        zone = zone_named(zone) if zone is not None else typed.zone
        async with services.storage.transaction() as uow:
            organization = await uow.organizations.get(asker.organization_id)
            changed = replace(
                organization,
                working_hours=typed.over(organization.working_hours),
                time_zone=zone or organization.time_zone,
            )
            await uow.organizations.update(changed)
            said = hours_words(changed.working_hours)
            detail = {"hours": said, "time_zone": changed.time_zone}
            subject = f"organization {shown(changed.name)}"
            await uow.audit.write(entry(asker, services.clock.now(), "hours.changed", subject, **detail))
    except NotHours as wrong:
        raise asked.refused(str(wrong)) from wrong
    return Message(
        (
            text(
                f"{Mark.GOOD} Reminders come ",
                Bold(said),
                f", in everybody's own time zone, otherwise {changed.time_zone}.",
            ),
            text("A first notice never waits."),
        ),
        Tone.GOOD,
    )


async def settings(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin settings`: what is set, and how each is changed."""
    async with services.storage.reading() as uow:
        organization = await uow.organizations.get(asker.organization_id)
        rule_sets = await uow.rule_sets.all(asker.organization_id)
        administrators = await uow.people.administrators(asker.organization_id)
        workspaces = await uow.organizations.workspaces(asker.organization_id)
        clients = await uow.clients.all(asker.organization_id)
    parts: list[Part] = [
        Heading(line("Settings of ", Bold(named(organization.name)))),
        Facts(_of_organization(organization)),
        text(Bold("Administrators")),
        *(Text(_administrator(person)) for person in administrators[:MOST_NAMED]),
        text(Bold("Workspaces")),
        *(Text(_workspace(one, clients)) for one in workspaces[:MOST_NAMED]),
        text(Bold("Notices")),
        *(Text(rules) for rules in _rules(services, rule_sets)),
        Note(line("Change it with ", *_ways())),
    ]
    return Message(tuple(parts))


def _of_organization(organization: Organization) -> tuple[tuple[str, Line], ...]:
    return (
        ("Reminders come", line(hours_words(organization.working_hours))),
        ("Time zone", line(f"{organization.time_zone}, where somebody's own is not known")),
        ("Help names", line(shown(organization.support_contact or "an administrator", 200))),
    )


def _administrator(person: Person) -> Line:
    copies = "copied on first notices" if takes_immediate_notices(person) else "no copies"
    return line("• ", Bold(named(person.name)), f", {ROLE_NAMES[person.role]}, {copies}")


def _workspace(one: Workspace, clients: Sequence[Client]) -> Line:
    names = sorted(shown(client.name) for client in clients if one.client_ids and client.id in one.client_ids)
    limited = "all clients" if one.client_ids is None else f"only {listed(names) or 'no client'}"
    return line("• ", Bold(named(one.name)), f" ({one.platform.capitalize()}): {limited}")


def _rules(services: Services, rule_sets: Sequence[RuleSet]) -> Sequence[Line]:
    """The rules of every network; those that have the same stand together."""
    alike: dict[str, list[str]] = {}
    for slug in services.networks:
        rules = rules_for(slug, spec_of(services.networks, slug), rule_sets)
        own = " (changed)" if any(one.network in (slug, None) for one in rule_sets) else ""
        said = f"{_GROUPING[rules.grouping]}; {cadence_words(rules.cadence)[:-1]}; {warning_words(rules.warning_days)}"
        alike.setdefault(f"{own}: {said}", []).append(network_name(services.networks, slug))
    together = sorted((sorted(names, key=str.casefold), said) for said, names in alike.items())
    return [line("• ", Bold(listed(names)), said) for names, said in together]


def _ways() -> Line:
    return line(
        Code("/lapse-admin hours"),
        ", ",
        Code("reminders"),
        ", ",
        Code("warnings"),
        ", ",
        Code("grouping"),
        ", ",
        Code("copies"),
        " and ",
        Code("workspace"),
        ".",
    )
