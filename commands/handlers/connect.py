"""`/connect NETWORK`: the asker's personal link for connecting accounts that are new here (C-7)."""

from commands import usage
from commands.auditing import entry
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.help import support_line
from commands.messages import Bold, Buttons, Heading, Line, LinkButton, Message, Note, Style, Text, Tone, line
from commands.parsing import Arguments, network_names, parse_network
from commands.ports.network import NetworkSpec
from commands.ports.reconnecting import Link
from commands.usage import try_line
from commands.wording import listed, shown


async def answer(services: Services, asker: Asker, arguments: Arguments) -> Message:
    """Give the link. Whether the login reaches anything, and what of it is connected, is settled on our page."""
    if not services.networks:
        nothing = (Text(line("No network is set up here yet.")), Text(support_line(asker.organization)))
        raise CommandError(Message(nothing))
    slug = _network(services, asker, arguments)
    spec, now = services.networks[slug].spec, services.clock.now()
    link = Link.new(asker.organization_id, asker.person.id, now, network=slug)
    async with services.storage.transaction() as uow:
        locator = await uow.links.ensure(link)
        await uow.audit.write(entry(asker, now, "connect.offered", f"network {slug}"))
    takes, choose = _ways(spec)
    button = LinkButton(f"Connect {spec.name} accounts", f"{services.public_url}/r/{locator}", Style.PRIMARY)
    return Message(
        (
            Heading(line("Connect new ", Bold(f"{spec.name} accounts"))),
            Text(line(takes)),
            Text(line(choose)),
            Buttons((button,)),
            Note(line("The link is yours alone: it opens only for you, signed in.")),
        ),
        Tone.ACTION,
    )


def _ways(spec: NetworkSpec) -> tuple[str, str]:
    """What it takes, and what happens then."""
    if spec.key_form is not None:
        called = spec.key_form.called
        takes = f"Have the {called} of one account ready; it takes {spec.reconnect_requirement}."
        return (
            takes,
            f"We ask {spec.name} which account it belongs to. Each account is connected separately, with its own.",
        )
    if spec.own_page is not None:
        product = spec.own_page.product
        return (
            f"{product} keeps the connections of {spec.name}.",
            f"They are made there; the page says where in {product}.",
        )
    return (
        f"Log in with {spec.login_label}; it takes {spec.reconnect_requirement}.",
        "After the login you choose which of its accounts are connected; those that already are stay as they are.",
    )


def _network(services: Services, asker: Asker, arguments: Arguments) -> str:
    """The network meant. Raises CommandError with the nearest one, what is set up, and whom to ask for others."""
    try:
        slug = parse_network(arguments, network_names(services.networks), usage.CONNECT)
    except CommandError as refused:
        parts = (*refused.answer.parts, Text(_set_up(services, asker)))
        raise CommandError(Message(parts)) from refused
    if slug is None:
        examples = usage.CONNECT.here(services.networks).examples[:1]
        which = (Text(line("Which network?")), Text(_set_up(services, asker)), Text(try_line(arguments, *examples)))
        raise CommandError(Message(which))
    return slug


def _set_up(services: Services, asker: Asker) -> Line:
    names = listed(sorted(network.spec.name for network in services.networks.values()))
    contact = asker.organization.support_contact
    whom = shown(contact, 200) if contact is not None else "an administrator of your organization"
    return line(f"Set up here: {names}. For another one, ask {whom}.")
