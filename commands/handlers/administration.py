"""`/lapse-admin`: its subcommands, declared once, and who may use them. What each does is in a file of its own."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from commands.access import Act
from commands.actions import OutOfDate, admin_list_of
from commands.command import Asker, Choice, Option, Services, Subcommand
from commands.handlers import (
    assigning,
    audit_log,
    channels,
    drilling,
    identities,
    links,
    owners,
    retiring,
    roles,
    settings,
    succession,
    suggesting,
    transferring,
    tuning,
    workspaces,
)
from commands.handlers.asked import (
    Asked,
    Sort,
    all_for,
    ending_in,
    name_and_email,
    read_asked,
    subcommand_of,
    what_to_whom,
)
from commands.handlers.gate import only_administrators
from commands.messages import Bold, Heading, Message, Part, Text, line
from commands.parsing import Arguments, unknown
from commands.usage import ADMIN_HELP, CLAIM, LAPSE_ADMIN, Example, example_network

HELP_WORDS = ("", "help")


@dataclass(frozen=True, slots=True, kw_only=True)
class Administering:
    """A subcommand: how it is declared, how its words are read, and what it does."""

    subcommand: Subcommand
    example: Example
    handler: Callable[[Services, Asker, Asked], Awaitable[Message]]
    sort: Sort
    act: Act | None = Act.ADMINISTER
    """What the asker must be allowed; None: it is asked of the account that is named."""


def _account(description: str, *, required: bool = True) -> Option:
    return Option(name="account", description=description, suggest=suggesting.accounts, required=required)


def _person(description: str, *, name: str = "person", required: bool = True) -> Option:
    """Somebody known here, chat account or not: by name or email address."""
    return Option(name=name, description=description, suggest=suggesting.people, required=required)


def _choices(*values: str) -> tuple[Choice, ...]:
    return tuple(Choice(value=value, label=value) for value in values)


def _administering(
    name: str,
    handler: Callable[[Services, Asker, Asked], Awaitable[Message]],
    does: str,
    *,
    words: str = "",
    chosen: str = "",
    sort: Sort | None = None,
    options: tuple[Option, ...] = (),
    act: Act | None = Act.ADMINISTER,
) -> Administering:
    """Declare one. `words` and `chosen` are an example of its arguments, in both forms; alike where only one is given.
    Words fill the first option unless `sort` says otherwise.
    """
    typed = f"/{LAPSE_ADMIN.name} {name}"
    example = Example(words=f"{typed} {words}".rstrip(), options=f"{typed} {chosen or words}".rstrip(), does=does)
    return Administering(
        subcommand=Subcommand(name=name, description=does[:1].upper() + does[1:], options=options),
        example=example,
        handler=handler,
        sort=sort or all_for(options[0].name if options else "words"),
        act=act,
    )


_NETWORK = Option(name="network", description="A network, or all", suggest=suggesting.networks_or_all)
_DAYS = Option(name="days", description="Numbers of days, separated by commas; off; or default", required=True)
_CLIENTS = Option(
    name="clients", description="Names, separated by commas, or all", suggest=suggesting.client_list, required=True
)

ADMINISTERING: tuple[Administering, ...] = (
    _administering(
        "claim",
        workspaces.claim_again,
        "give this workspace to your organization",
        words="CODE",
        chosen="code:CODE",
        options=(Option(name="code", description="The code that whoever runs lapsebot gave you", required=True),),
        act=None,
    ),
    _administering(
        "owners",
        owners.owners,
        "owners, with how much needs connecting and a way to send a link",
        act=Act.ADMINISTER_HERE,
    ),
    _administering(
        "send-link",
        owners.send_link,
        "send somebody the link to their accounts",
        words="Ana Ruiz",
        chosen="person:Ana Ruiz",
        options=(_person("Who gets it"),),
    ),
    _administering("links", links.links, "how far each personal link got, and a way to end it"),
    _administering(
        "transfer",
        transferring.transfer,
        "give an account, or all of a client's, another owner",
        words="Acme EU Ads to Ana Ruiz",
        chosen="account:Acme EU Ads person:Ana Ruiz",
        sort=what_to_whom("account", "person"),
        options=(
            _person("Who should own it"),
            _account("The account: part of its name, or its id", required=False),
            Option(name="client", description="All accounts of this client", suggest=suggesting.clients),
        ),
        act=Act.ADMINISTER_HERE,
    ),
    _administering(
        "add-owner",
        owners.add_owner,
        "add somebody who owns accounts, in chat or not",
        words="Ana Ruiz ana@example.com",
        chosen="name:Ana Ruiz email:ana@example.com",
        sort=name_and_email,
        options=(
            Option(name="name", description="Their name"),
            Option(name="email", description="Their email address"),
        ),
    ),
    _administering(
        "role",
        roles.role,
        "what somebody may do here",
        words="Ana Ruiz staff",
        chosen="person:Ana Ruiz role:staff",
        sort=ending_in("person", "role", tuple(roles.ROLE_WORDS)),
        options=(
            _person("Whose role"),
            Option(
                name="role",
                description="The role; without it, what they are now",
                choices=tuple(Choice(value=role.value, label=name) for role, name in roles.ROLE_NAMES.items()),
            ),
        ),
    ),
    _administering(
        "clients",
        roles.clients,
        "which clients a member of staff sees",
        words="Ana Ruiz to Acme, Brio",
        chosen="person:Ana Ruiz clients:Acme, Brio",
        sort=what_to_whom("person", "clients"),
        options=(_person("Whose clients"), _CLIENTS),
    ),
    _administering(
        "copies",
        roles.copies,
        "whether an administrator is copied on first notices",
        words="Ana Ruiz off",
        chosen="person:Ana Ruiz copies:off",
        sort=ending_in("person", "copies", roles.COPY_WORDS),
        options=(
            _person("Which administrator"),
            Option(name="copies", description="On or off", choices=_choices("on", "off"), required=True),
        ),
    ),
    _administering(
        "retire",
        retiring.retire,
        "end a connection that is not in use any more, keeping its history",
        words="Old Promo",
        chosen="account:Old Promo",
        options=(_account("The account that is not in use any more"),),
        act=None,
    ),
    _administering(
        "assign",
        assigning.assign,
        "give a lapse to somebody",
        words="Acme EU Ads to Ana Ruiz",
        chosen="account:Acme EU Ads person:Ana Ruiz",
        sort=what_to_whom("account", "person"),
        options=(_account("The lapsed account"), _person("Who should see to it")),
        act=Act.ADMINISTER_HERE,
    ),
    _administering("channels", channels.channels, "what channels hear, and a way to end it"),
    _administering(
        "workspace",
        workspaces.workspace,
        "which clients are mentioned in this workspace",
        words="Acme, Brio",
        chosen="clients:Acme, Brio",
        options=(_CLIENTS,),
        act=Act.ADMINISTER_HERE,
    ),
    _administering(
        "grouping",
        tuning.grouping,
        "how several lapses of a network are told: each, or in one summary",
        words="NETWORK summary",
        chosen="network:NETWORK grouping:summary",
        sort=ending_in("network", "grouping", tuning.GROUPING_WORDS),
        options=(
            Option(name="network", description="A network, or all", suggest=suggesting.networks_or_all, required=True),
            Option(name="grouping", description="How", choices=_choices(*tuning.GROUPING_WORDS), required=True),
        ),
    ),
    _administering(
        "reminders",
        tuning.reminders,
        "on which days after the first notice reminders come",
        words="NETWORK 2,7,12 restart 20",
        chosen="network:NETWORK days:2,7,12 restart:20",
        sort=tuning.network_then_days,
        options=(
            _DAYS,
            _NETWORK,
            Option(name="restart", description="The day on which the series starts over, or never"),
        ),
    ),
    _administering(
        "warnings",
        tuning.warnings,
        "how many days before a known end people are warned",
        words="NETWORK 14,7,3,1",
        chosen="network:NETWORK days:14,7,3,1",
        sort=tuning.network_then_days,
        options=(_DAYS, _NETWORK),
    ),
    _administering(
        "hours",
        settings.hours,
        "when reminders may come",
        words="mon-fri 9-18 Europe/Madrid",
        chosen="hours:mon-fri 9-18 Europe/Madrid",
        options=(
            Option(name="hours", description="Days and hours: mon-fri 9-18", required=True),
            Option(name="zone", description="Time zone of those whose own is not known: Europe/Madrid"),
        ),
    ),
    _administering("settings", settings.settings, "everything that is set here"),
    _administering(
        "people",
        succession.people,
        "people, and what depends on each of them",
        options=(_person("One person in full", required=False),),
    ),
    _administering(
        "leaves",
        succession.leaves,
        "somebody leaves: end what is theirs, and have others take over",
        words="Ana Ruiz to Raj Patel",
        chosen="person:Ana Ruiz deputy:Raj Patel",
        sort=what_to_whom("person", "deputy"),
        options=(_person("Who leaves"), _person("Who takes over", name="deputy", required=False)),
    ),
    _administering(
        "link",
        identities.link,
        "a one-time link that makes somebody's chat account theirs",
        words="Ana Ruiz",
        chosen="person:Ana Ruiz",
        options=(_person("Whose chat account"),),
    ),
    _administering(
        "unlink",
        identities.unlink,
        "forget somebody's chat accounts",
        words="Ana Ruiz",
        chosen="person:Ana Ruiz",
        options=(_person("Whose chat accounts"),),
    ),
    _administering(
        "audit",
        audit_log.audit,
        "who changed what, from where and when",
        words="transferred",
        chosen="words:transferred",
        sort=audit_log.person_then_words,
        options=(
            Option(name="words", description="Only entries with these words"),
            _person("Only what this person did", required=False),
        ),
    ),
    _administering(
        "drill",
        drilling.drill,
        "rehearse a lapse, to see who would hear of it",
        words="Acme",
        chosen="client:Acme",
        options=(
            Option(
                name="client", description="A client, or all; without it, the last report", suggest=suggesting.clients
            ),
        ),
    ),
)
BY_NAME: Mapping[str, Administering] = MappingProxyType({each.subcommand.name: each for each in ADMINISTERING})


async def lapse_admin(services: Services, asker: Asker, arguments: Arguments) -> Message:
    """Carry out a subcommand; without one, say what there is."""
    name = subcommand_of(arguments)
    chosen = BY_NAME.get(name)
    if chosen is None or chosen.act is not None:
        act = chosen.act if chosen is not None and chosen.act is not None else Act.ADMINISTER_HERE
        await only_administrators(services, asker, act)
    if chosen is None and name in HELP_WORDS:
        return _overview(arguments)
    if chosen is None:
        raise unknown(arguments, replace(LAPSE_ADMIN, hints=(*LAPSE_ADMIN.examples[1:], ADMIN_HELP)), name, BY_NAME)
    example = chosen.example.naming(example_network(services.networks)) if services.networks else chosen.example
    options = [option.name for option in chosen.subcommand.options]
    return await chosen.handler(services, asker, read_asked(arguments, options, example, chosen.sort))


async def turn(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Show another part of one of the lists, in its place."""
    which, position, words = admin_list_of(arguments)
    if which == audit_log.AUDIT:
        return await audit_log.turn(services, asker, position, words)
    pages = {
        owners.OWNERS: owners.page,
        succession.PEOPLE: succession.page,
        channels.CHANNELS: channels.channel_page,
        links.LINKS: links.page,
    }
    page = pages.get(which)
    if page is None or position > 1_000_000:
        raise OutOfDate
    return await page(services, asker, position)


def _overview(form: Arguments) -> Message:
    parts: list[Part] = [Heading(line(Bold("For administrators")))]
    parts += [
        Text(line(each.example.code(form), f": {each.example.does}"))
        for each in ADMINISTERING
        if each.example.words != CLAIM.words
    ]
    return Message(tuple(parts))
