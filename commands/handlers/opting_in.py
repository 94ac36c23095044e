"""The form of a bare `/subscribe-lapses`: what to hear of, where, and how often (C-5, N-16)."""

from commands.access import Act, may
from commands.actions import subscribe_form_action
from commands.command import Asker, Services
from commands.handlers.fields import Values, client_field, network_field, value_of, want_of
from commands.handlers.readers import speak_for
from commands.handlers.rhythm import NOT_FOR_CHANNELS, RHYTHM, keep_rhythm, rhythm_field, rhythm_of
from commands.handlers.seeing import visible_clients
from commands.handlers.subscriptions import opt_in
from commands.messages import ChoiceField, Field, FieldErrors, Form, FormChoice, Message, line
from commands.model import Rhythm, Topic

_WHERE, _ME, _HERE = "where", "me", "here"


async def form(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Form:
    """The form. A channel is offered where the asker may let one hear."""
    async with services.storage.reading() as uow:
        clients = await visible_clients(uow, asker)
    fields: list[Field] = [network_field(services), client_field(clients)]
    if not asker.place.is_direct and asker.place.workspace is not None and may(asker.person, Act.OPEN_CHANNEL):
        places = (FormChoice(_ME, "You, by direct message"), FormChoice(_HERE, "This channel, at once"))
        fields.append(ChoiceField(name=_WHERE, label="Who hears", choices=places, chosen=(_ME,)))
    fields.append(rhythm_field())
    return Form(
        title="Hear of lapses",
        action=subscribe_form_action(),
        fields=tuple(fields),
        send_label="Subscribe",
        intro=line("You hear of what you connected or own anyway."),
    )


async def submitted(
    services: Services, asker: Asker, arguments: tuple[str, ...], values: Values
) -> Message | FieldErrors:
    """Opt in to what the form says. What the sender may do is asked now, wherever the form was drawn."""
    here, rhythm = value_of(values, _WHERE, _ME) == _HERE, rhythm_of(values)
    if isinstance(rhythm, FieldErrors):
        return rhythm
    async with services.storage.transaction() as uow:
        clients = await visible_clients(uow, asker)
        want = want_of(services, clients, values)
        if isinstance(want, FieldErrors):
            return want
        if here and rhythm is not Rhythm.IMMEDIATE:
            return FieldErrors(((RHYTHM, NOT_FOR_CHANNELS),))
        reader = await speak_for(uow, asker, clients, here=here)
        said = await opt_in(uow, services, asker, reader, [want])
        chose_before = await uow.preferences.of(asker.organization_id, [asker.person.id])
        if here or (rhythm is Rhythm.IMMEDIATE and not chose_before):
            return said
        kept = await keep_rhythm(uow, services, asker, reader, topics=tuple(Topic), wanted=[want], rhythm=rhythm)
        return Message((*said.parts, *kept), said.tone)
