"""Fields that several forms have: which network, which client. Read back with an error at the field that is wrong."""

from collections.abc import Mapping

from commands.command import Services
from commands.handlers.readers import Want
from commands.ids import ClientId, from_wire, to_wire
from commands.messages import FORM_CHOICES, ChoiceField, FieldErrors, FormChoice, TextField
from commands.wording import clean, named, nearest, shown

NETWORK, CLIENT = "network", "client"
ALL = "all"
Values = Mapping[str, tuple[str, ...]]


def network_field(services: Services) -> ChoiceField:
    """All networks, or one. The first 24 by name: a form shows no more, words know them all."""
    ordered = sorted(services.networks.items(), key=lambda item: item[1].spec.name.casefold())
    choices = [FormChoice(slug, network.spec.name) for slug, network in ordered[: FORM_CHOICES - 1]]
    return ChoiceField(
        name=NETWORK, label="Network", choices=(FormChoice(ALL, "All networks"), *choices), chosen=(ALL,)
    )


def client_field(clients: Mapping[str, ClientId]) -> ChoiceField | TextField:
    """All clients, or one: chosen where they are few enough, typed where they are not."""
    if len(clients) > FORM_CHOICES - 1:
        return TextField(
            name=CLIENT, label="Client", hint="Its whole name; empty for all clients", required=False, most=200
        )
    ordered = sorted(clients.items(), key=lambda item: item[0].casefold())
    choices = [FormChoice(to_wire(client_id), named(name)) for name, client_id in ordered]
    return ChoiceField(name=CLIENT, label="Client", choices=(FormChoice(ALL, "All clients"), *choices), chosen=(ALL,))


def want_of(services: Services, clients: Mapping[str, ClientId], values: Values) -> Want | FieldErrors:
    """Read both fields. `clients` are those that the sender may see now, whatever the form offered."""
    network, client = value_of(values, NETWORK, ALL), clean(value_of(values, CLIENT, ALL))
    if network != ALL and network not in services.networks:
        return FieldErrors(((NETWORK, "This network is not set up here any more."),))
    if client in ("", ALL):
        return (None if network == ALL else network, None)
    by_name = {name.casefold(): client_id for name, client_id in clients.items()}
    by_id = {to_wire(client_id): client_id for client_id in clients.values()}
    client_id = by_id.get(client) or by_name.get(client.casefold())
    if client_id is None:
        return FieldErrors(((CLIENT, _unknown(client, clients)),))
    return (None if network == ALL else network, client_id)


def value_of(values: Values, field: str, otherwise: str) -> str:
    """The one value of a field."""
    given = values.get(field, ())
    return given[0] if given else otherwise


def _unknown(client: str, clients: Mapping[str, ClientId]) -> str:
    try:
        from_wire(client)
    except ValueError:
        guess = nearest(client, clients)
        suggestion = f" Did you mean {shown(guess)}?" if guess is not None else ""
        return f"I don't know a client called “{shown(client, 40)}”.{suggestion}"
    return "This client is gone, or not yours to see."
