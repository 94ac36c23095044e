"""What organizations changed of the rules for notices, and how often their people want to hear."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select

from commands.ids import OrganizationId, PersonId
from commands.model import Preference, Rhythm, Topic
from commands.ports.network import Grouping
from commands.rules import Cadence, RuleSet
from storage.engine import insert
from storage.tables import NOBODY, preferences, rule_sets
from storage.work import Work, portions

_RULE_SETS = (
    select(rule_sets.c.network, rule_sets.c.grouping, rule_sets.c.cadence, rule_sets.c.warning_days)
    .where(rule_sets.c.organization_id == bindparam("organization"))
    .order_by(rule_sets.c.network)
)
_insert_rule_set = insert(rule_sets)
_PUT_RULE_SET = _insert_rule_set.on_conflict_do_update(
    index_elements=["organization_id", "network"],
    set_={name: _insert_rule_set.excluded[name] for name in ("grouping", "cadence", "warning_days")},
)
_PREFERENCES = (
    select(
        preferences.c.person_id,
        preferences.c.topic,
        preferences.c.network,
        preferences.c.client_id,
        preferences.c.rhythm,
    )
    .where(
        preferences.c.organization_id == bindparam("organization"),
        preferences.c.person_id.in_(bindparam("people", expanding=True)),
    )
    .order_by(preferences.c.person_id, preferences.c.topic, preferences.c.network, preferences.c.client_key)
)
_insert_preference = insert(preferences)
_PUT_PREFERENCE = _insert_preference.on_conflict_do_update(
    index_elements=["organization_id", "person_id", "topic", "network", "client_key"],
    set_={"rhythm": _insert_preference.excluded.rhythm},
    where=preferences.c.rhythm != _insert_preference.excluded.rhythm,
).returning(preferences.c.person_id)


class SqlRuleSets:
    """Implements `RuleSets`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def all(self, organization_id: OrganizationId) -> Sequence[RuleSet]:
        return [
            _rule_set_of(organization_id, row)
            for row in await self._work.rows(_RULE_SETS, {"organization": organization_id})
        ]

    async def put(self, rule_set: RuleSet) -> None:
        changed = (rule_set.grouping, rule_set.cadence, rule_set.warning_days)
        if changed == (None, None, None):
            await self._work.run(
                delete(rule_sets).where(
                    rule_sets.c.organization_id == rule_set.organization_id,
                    rule_sets.c.network == (rule_set.network or ""),
                )
            )
            return
        cadence, warning_days = rule_set.cadence, rule_set.warning_days
        await self._work.run(
            _PUT_RULE_SET,
            {
                "organization_id": rule_set.organization_id,
                "network": rule_set.network or "",
                "grouping": rule_set.grouping and rule_set.grouping.value,
                "cadence": None if cadence is None else {"days": list(cadence.days), "restart": cadence.restart},
                "warning_days": None if warning_days is None else list(warning_days),
            },
        )


class SqlPreferences:
    """Implements `Preferences`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def of(self, organization_id: OrganizationId, person_ids: Sequence[PersonId]) -> Sequence[Preference]:
        found: list[Preference] = []
        for portion in portions(sorted(set(person_ids))):
            values = {"organization": organization_id, "people": list(portion)}
            found += [_preference_of(row) for row in await self._work.rows(_PREFERENCES, values)]
        return found

    async def put(self, organization_id: OrganizationId, preference: Preference) -> bool:
        written = await self._work.row(
            _PUT_PREFERENCE,
            {
                "organization_id": organization_id,
                "person_id": preference.person_id,
                "topic": preference.topic.value,
                "network": preference.network or "",
                "client_id": preference.client_id,
                "client_key": preference.client_id or NOBODY,
                "rhythm": preference.rhythm.value,
            },
        )
        return written is not None


def _rule_set_of(organization_id: OrganizationId, values: Sequence[Any]) -> RuleSet:
    network, grouping, cadence, warning_days = values
    return RuleSet(
        organization_id=organization_id,
        network=network or None,
        grouping=None if grouping is None else Grouping(grouping),
        cadence=None if cadence is None else Cadence(days=tuple(cadence["days"]), restart=cadence["restart"]),
        warning_days=None if warning_days is None else tuple(warning_days),
    )


def _preference_of(values: Sequence[Any]) -> Preference:
    person_id, topic, network, client_id, rhythm = values
    return Preference(
        person_id=PersonId(person_id),
        topic=Topic(topic),
        network=network or None,
        client_id=client_id,
        rhythm=Rhythm(rhythm),
    )
