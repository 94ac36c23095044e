"""How often a person hears: at once, daily or weekly; apart for lapses and warnings, by network and client (N-16).

The first notice to the connector and to the owner always comes at once; whoever plans notices sees to that.
"""

from collections.abc import Mapping, Sequence

from commands.actions import rhythm_form_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.fields import Values, client_field, network_field, value_of, want_of
from commands.handlers.readers import Reader, Want, in_words
from commands.handlers.seeing import visible_clients
from commands.ids import ClientId
from commands.messages import (
    Bold,
    ChoiceField,
    FieldErrors,
    Form,
    FormChoice,
    Mark,
    Message,
    Note,
    Part,
    Text,
    Tone,
    line,
    text,
)
from commands.model import Preference, Rhythm, Topic
from commands.ports.storage import UnitOfWork
from commands.wording import listed

RHYTHMS = {
    Rhythm.IMMEDIATE: "at once",
    Rhythm.DAILY: "once a day, gathered",
    Rhythm.WEEKLY: "once a week, gathered",
}
NOT_FOR_CHANNELS = "A channel is told at once. You can choose how often only for what you hear yourself."
RHYTHM = "rhythm"
_TOPIC, _BOTH = "topic", "both"
FIRST_NOTICE = "The first notice of a lapse of what you connected or own always comes at once."


def rhythm_field() -> ChoiceField:
    """How often to hear."""
    choices = tuple(FormChoice(rhythm, words.capitalize()) for rhythm, words in RHYTHMS.items())
    return ChoiceField(name=RHYTHM, label="How often", choices=choices, chosen=(Rhythm.IMMEDIATE,))


def rhythm_of(values: Values) -> Rhythm | FieldErrors:
    """Read the field; at once where nothing was chosen."""
    given = value_of(values, RHYTHM, Rhythm.IMMEDIATE)
    return Rhythm(given) if given in set(Rhythm) else FieldErrors(((RHYTHM, "Choose one of these."),))


async def form(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Form:
    """The form for how often the asker hears."""
    async with services.storage.reading() as uow:
        clients = await visible_clients(uow, asker)
    topics = (
        FormChoice(_BOTH, "Lapses and warnings"),
        FormChoice(Topic.LAPSES, "Lapses"),
        FormChoice(Topic.WARNINGS, "Warnings before a term ends"),
    )
    return Form(
        title="How often you hear",
        action=rhythm_form_action(),
        fields=(
            ChoiceField(name=_TOPIC, label="Of what", choices=topics, chosen=(_BOTH,)),
            network_field(services),
            client_field(clients),
            rhythm_field(),
        ),
        intro=line(FIRST_NOTICE),
    )


async def submitted(
    services: Services, asker: Asker, arguments: tuple[str, ...], values: Values
) -> Message | FieldErrors:
    """Keep what the form says."""
    topic, rhythm = value_of(values, _TOPIC, _BOTH), rhythm_of(values)
    if topic not in (_BOTH, *Topic):
        return FieldErrors(((_TOPIC, "Choose one of these."),))
    if isinstance(rhythm, FieldErrors):
        return rhythm
    topics = tuple(Topic) if topic == _BOTH else (Topic(topic),)
    async with services.storage.transaction() as uow:
        clients = await visible_clients(uow, asker)
        want = want_of(services, clients, values)
        if isinstance(want, FieldErrors):
            return want
        reader = Reader(channel=None, person_id=asker.person.id, clients=clients)
        kept = await keep_rhythm(uow, services, asker, reader, topics=topics, wanted=[want], rhythm=rhythm)
        return Message(kept, Tone.GOOD)


async def keep_rhythm(
    uow: UnitOfWork,
    services: Services,
    asker: Asker,
    reader: Reader,
    *,
    topics: Sequence[Topic],
    wanted: Sequence[Want],
    rhythm: Rhythm,
) -> tuple[Part, ...]:
    """Write how often the asker hears of each, and say what changed. Raises CommandError for a channel."""
    if reader.channel is not None:
        raise CommandError(NOT_FOR_CHANNELS)
    now = services.clock.now()
    changed: list[str] = []
    there: list[str] = []
    for topic in topics:
        for network, client_id in wanted:
            preference = Preference(
                person_id=asker.person.id, topic=topic, network=network, client_id=client_id, rhythm=rhythm
            )
            is_new = await uow.preferences.put(asker.organization_id, preference)
            (changed if is_new else there).append(_of_what(services, preference, reader.clients))
    parts: list[Part] = []
    if changed:
        await uow.audit.write(entry(asker, now, "rhythm.changed", "themselves", rhythm=rhythm, of=listed(changed)))
        parts.append(text(f"{Mark.GOOD} From now on you hear of ", Bold(listed(changed)), f" {RHYTHMS[rhythm]}."))
    if there:
        parts.append(text("You hear of ", Bold(listed(there)), f" {RHYTHMS[rhythm]} already; nothing changed."))
    if rhythm is not Rhythm.IMMEDIATE and Topic.LAPSES in topics:
        parts.append(Note(line(FIRST_NOTICE)))
    return tuple(parts)


async def told_rhythms(
    uow: UnitOfWork, services: Services, asker: Asker, clients: Mapping[str, ClientId]
) -> list[Part]:
    """How often the asker hears of what, as far as they chose; of clients only those that they may see."""
    chosen = await uow.preferences.of(asker.organization_id, [asker.person.id])
    visible = [each for each in chosen if each.client_id is None or each.client_id in clients.values()]
    return [
        Text(line("How often: ", Bold(_of_what(services, each, clients)), f" {RHYTHMS[each.rhythm]}"))
        for each in visible
    ]


def _of_what(services: Services, preference: Preference, clients: Mapping[str, ClientId]) -> str:
    want = (preference.network, preference.client_id)
    if preference.topic is Topic.WARNINGS:
        narrowed = in_words(services, want, clients)
        return "every warning" if want == (None, None) else narrowed.replace("lapses", "warnings", 1)
    return in_words(services, want, clients)
