"""An operator's own networks, declared in a file: a loopback vendor that is read with keys, and a host product."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp.test_utils import TestServer

from bot.playground.vendors.networks.wires.keyed import Letterly
from commands.ports.clock import Clock
from commands.ports.network import Network
from platform_adapters.discovery import build_networks

DECLARED = """
# Letters are sent with it.
[[api_key]]
slug = "letterly"
name = "Letterly"
aliases = ["letters"]
called = "API key"
requirement = "the Owner role at Letterly"
needs = ["Read campaigns"]
where = ["Log in to Letterly as an Owner.", "Open Settings, then Keys, and press New key."]
stops = ["campaign reports"]

[[api_key.fields]]
name = "region"
label = "Region"
help = "As in the address that you log in at: eu or us."
secret = false
pattern = "eu|us"

[[api_key.fields]]
name = "key"
label = "API key"
help = "It begins with lm_."
pattern = "lm_[0-9a-f]+"

[api_key.probe]
url = "{base}/v1/account"
headers = { Authorization = "Bearer {key}", "X-Region" = "{region}" }
account_id = "/account/id"
account_name = "/account/name"
ends_at = "/key/expires_at"

[[api_key.verdicts]]
status = 401
at = "/error/code"
equals = "expired_key"
verdict = "expired"

[[api_key.verdicts]]
status = 423
verdict = "account_disabled"

[[api_key.examples]]
status = 200
body = { account = { id = "L-1", name = "Acme Letters" }, key = { expires_at = "2027-01-01T00:00:00Z" } }
verdict = "healthy"
account_id = "L-1"

[[api_key.examples]]
status = 401
body = { error = { code = "expired_key" } }
verdict = "expired"

[[hosted]]
slug = "suite_social"
name = "Suite Social"
aliases = ["suite"]
product = "Acme Suite"
reconnect_url = "https://suite.example.com/connections/{account_id}/mend?from={connection_id}"
connect_url = "https://suite.example.com/connections/new"
stops = ["posts"]
"""


def declared(base: str) -> str:
    """The file's text, for a vendor that is served at `base`."""
    return DECLARED.replace("{base}", base)


@dataclass
class OwnNetworks:
    """Both, built from their file."""

    vendor: Letterly
    keyed: Network
    hosted: Network
    file: Path
    base: str


@asynccontextmanager
async def own_networks(folder: Path, clock: Clock) -> AsyncIterator[OwnNetworks]:
    """The vendor is served, and the networks hold their connections open, until the block is left."""
    vendor = Letterly()
    async with TestServer(vendor.app()) as server:
        base = str(server.make_url("")).rstrip("/")
        file = folder / "networks.toml"
        file.write_text(declared(base))
        built = build_networks({"LAPSEBOT_NETWORKS_FILE": str(file)}, clock)
        keyed, hosted = built["letterly"], built["suite_social"]
        async with keyed.running(), hosted.running():
            yield OwnNetworks(vendor=vendor, keyed=keyed, hosted=hosted, file=file, base=base)
