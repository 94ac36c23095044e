"""Who and what the demo is about: an agency in Slack, its client's people in Discord, and accounts at every network.

Values only. The same names stand in connections.csv, which the demo imports as an operator would.
"""

from dataclasses import dataclass, field
from enum import StrEnum

ORGANIZATION = "North Studio"
TEAM, TEAM_NAME = "T0NORTH", "North Studio"
NETWORKS = (
    "amazon_ads", "google_ads", "instagram", "linkedin", "meta", "microsoft_ads", "pinterest", "reddit", "snapchat",
    "tiktok", "x", "x_ads", "youtube",
)  # fmt: skip
"""Those that have a login: whoever has a profile has one at each."""
GUILD, GUILD_NAME = 990011223344550001, "North Studio partners"
SLACK_CHANNEL, DISCORD_CHANNEL = "C0ADSALERTS", 990011223344550002
CHANNEL_NAME = "ads-alerts"
SLACK_BOT, DISCORD_BOT = "U0LAPSEBOT", 990011223344550003

ELSEWHERE = "7098000000000009999"
"""The business that an account moves to where nobody here is connected through another one."""


class Part(StrEnum):
    """What somebody is to the connections."""

    CONNECTOR = "connector"
    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    SUBSCRIBER = "subscriber"
    LIMITED = "limited staff"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A person with one chat account. `profiles`: the networks where they have a login of their own."""

    key: str
    """Their profile's id at each network."""
    name: str
    email: str
    platform: str
    user: str
    """The chat platform's id."""
    about: str
    """One line for whoever plays them."""
    part: Part
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A business at a network with its accounts (id and name); `admins` are profiles."""

    network: str
    id: str
    name: str
    admins: tuple[str, ...]
    accounts: tuple[tuple[str, str], ...] = field(default=())


PEOPLE = (
    Somebody(
        key="ana",
        name="Ana Ruiz",
        email="ana.ruiz@north.example",
        platform="slack",
        user="U0ANA",
        part=Part.CONNECTOR,
        about="connected Facebook, LinkedIn, Instagram, X and Pinterest accounts",
        profiles=NETWORKS,
    ),
    Somebody(
        key="cleo",
        name="Cleo Marsh",
        email="cleo.marsh@north.example",
        platform="slack",
        user="U0CLEO",
        part=Part.OWNER,
        about="owns a Facebook account that Ana connected, and two of her own",
        profiles=NETWORKS,
    ),
    Somebody(
        key="mei",
        name="Mei Lin",
        email="mei.lin@north.example",
        platform="slack",
        user="U0MEI",
        about="is primary administrator, and claimed this workspace",
        part=Part.ADMINISTRATOR,
    ),
    Somebody(
        key="ivo",
        name="Ivo Berg",
        email="ivo.berg@north.example",
        platform="slack",
        user="U0IVO",
        about="is staff, and asked to hear of every lapse",
        part=Part.SUBSCRIBER,
    ),
    Somebody(
        key="lena",
        name="Lena Voss",
        email="lena.voss@north.example",
        platform="slack",
        user="U0LENA",
        about="is staff, and sees the client Brio alone",
        part=Part.LIMITED,
    ),
    Somebody(
        key="tom",
        name="Tom Reyes",
        email="tom.reyes@elsewhere.example",
        platform="slack",
        user="U0TOM",
        about="works here, and is nobody to lapsebot",
        part=Part.STRANGER,
    ),
    Somebody(
        key="bo",
        name="Bo Lind",
        email="bo.lind@acme.example",
        platform="discord",
        user="990011223344550011",
        part=Part.CONNECTOR,
        about="connected TikTok, Facebook, YouTube, Reddit and other accounts",
        profiles=NETWORKS,
    ),
    Somebody(
        key="dan",
        name="Dan Okafor",
        email="dan.okafor@acme.example",
        platform="discord",
        user="990011223344550012",
        part=Part.OWNER,
        about="owns a Facebook account that Bo connected, and one that nobody did",
        profiles=NETWORKS,
    ),
    Somebody(
        key="raj",
        name="Raj Patel",
        email="raj.patel@acme.example",
        platform="discord",
        user="990011223344550013",
        about="is administrator, and claimed this server",
        part=Part.ADMINISTRATOR,
    ),
    Somebody(
        key="kim",
        name="Kim Sato",
        email="kim.sato@acme.example",
        platform="discord",
        user="990011223344550014",
        about="is staff, and asked to hear of every lapse",
        part=Part.SUBSCRIBER,
    ),
    Somebody(
        key="noor",
        name="Noor Haddad",
        email="noor.haddad@acme.example",
        platform="discord",
        user="990011223344550015",
        about="is staff, and sees the client Acme alone",
        part=Part.LIMITED,
    ),
    Somebody(
        key="zoe",
        name="Zoe Marks",
        email="zoe.marks@elsewhere.example",
        platform="discord",
        user="990011223344550016",
        about="is in this server, and nobody to lapsebot",
        part=Part.STRANGER,
    ),
)

HOLDINGS = (
    Holding(
        network="meta",
        id="2180011001",
        name="North Studio BM",
        admins=("ana",),
        accounts=(
            ("1029384756", "Acme EU Ads"),
            ("1029384757", "Brio Launch"),
            ("1029384758", "Cato FR"),
            ("1029384759", "Cato BE"),
        ),
    ),
    Holding(
        network="meta",
        id="2180011002",
        name="Acme Direct",
        admins=("bo",),
        accounts=(("1029384801", "Acme US Ads"),),
    ),
    Holding(
        network="tiktok",
        id="7098000000000008194",
        name="Acme EU",
        admins=("bo",),
        accounts=(("7012345678901234567", "Acme DE"), ("7012345678901234568", "Acme NL")),
    ),
    Holding(
        network="tiktok",
        id="7098000000000008195",
        name="Brio Retail",
        admins=("cleo",),
        accounts=(("7012345678901234601", "Brio Shop"),),
    ),
    Holding(network="linkedin", id="101", name="Acme", admins=("ana",), accounts=(("512345001", "Acme B2B"),)),
    Holding(
        network="linkedin",
        id="102",
        name="Brio",
        admins=("cleo",),
        accounts=(("512345002", "Brio Careers"),),
    ),
    Holding(network="linkedin", id="103", name="Cato", admins=("bo",), accounts=(("512345003", "Cato Pro"),)),
    Holding(network="linkedin", id="104", name="Talent", admins=("dan",), accounts=(("512345004", "Acme Talent"),)),
    Holding(network="instagram", id="201", name="Acme", admins=("ana",), accounts=(("17841400001", "Acme Studio"),)),
    Holding(network="x", id="202", name="Brio", admins=("ana",), accounts=(("2244994901", "Brio News"),)),
    Holding(
        network="pinterest",
        id="549755885001",
        name="Cato Home",
        admins=("ana",),
        accounts=(("549755886001", "Cato Boards"),),
    ),
    Holding(
        network="google_ads",
        id="8181818101",
        name="North Studio MCC",
        admins=("cleo",),
        accounts=(("8181818201", "Brio Search"),),
    ),
    Holding(network="x_ads", id="203", name="Brio", admins=("cleo",), accounts=(("18ce54d4x5", "Brio Promoted"),)),
    Holding(
        network="snapchat",
        id="40d6719b-da09-410b-9185-0cc9c0dfed1d",
        name="Brio Retail",
        admins=("cleo",),
        accounts=(("8adc3db7-8148-4fbf-999c-8d2266369d74", "Brio Snaps"),),
    ),
    Holding(network="youtube", id="204", name="Acme", admins=("bo",), accounts=(("UCacmefilms01", "Acme Films"),)),
    Holding(
        network="microsoft_ads",
        id="3200012001",
        name="Cato Group",
        admins=("bo",),
        accounts=(("3200012101", "Cato Bing"),),
    ),
    Holding(
        network="reddit",
        id="5ab1c2d3-0001-4e5f-8a9b-000000000001",
        name="Acme Direct",
        admins=("bo",),
        accounts=(("t2_acme01", "Acme Threads"),),
    ),
    Holding(network="amazon_ads", id="205", name="Acme", admins=("bo",), accounts=(("3131313101", "Acme Retail"),)),
)


def new_home(account: str) -> str:
    """The business that an account moves to: one that somebody here is connected through, else one elsewhere."""
    old = next(one for one in HOLDINGS if any(account == held for held, _ in one.accounts))
    return next((one.id for one in HOLDINGS if one.network == old.network and one is not old), ELSEWHERE)


def person(key: str) -> Somebody:
    """Find somebody by their key. Raises LookupError."""
    for one in PEOPLE:
        if one.key == key:
            return one
    raise LookupError(key)


def on(platform: str) -> list[Somebody]:
    """The people of a chat platform."""
    return [one for one in PEOPLE if one.platform == platform]
