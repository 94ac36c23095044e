"""The demo's own networks, and the file that declares them as an operator would: a vendor that is read with keys, and
one whose connections a host product keeps.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.playground.vendors.networks.wires.keyed import Letterly
from bot.playground.vendors.suite import Shop, Suite

FILE = "networks.toml"
LETTERLY, SUITE = "letterly", "suite_shops"
ACCOUNTS = {"L-1001": "Acme Letters", "L-1002": "Brio Mail", "L-1003": "Cato Weekly"}
SHOPS = {
    "shop-17": Shop(name="Acme Shop", client="Acme", connector_email="ana.ruiz@north.example"),
    "shop-21": Shop(name="Cato Shop", client="Cato", connector_email="bo.lind@acme.example"),
}
PAGES: Mapping[str, str] = {LETTERLY: "settings/keys", SUITE: "connections"}
"""Where people find each, below its address."""


def vendors(clock: Callable[[], float]) -> Mapping[str, web.Application]:
    """Their stand-ins, by network."""
    return {
        LETTERLY: Letterly(accounts=dict(ACCOUNTS)).app(),
        SUITE: Suite(network=SUITE, shops=dict(SHOPS), clock=clock).app(),
    }


def declare(directory: Path, vendors_url: str) -> dict[str, str]:
    """Write the file for stand-ins below `vendors_url`, and give the setting that names it."""
    directory.mkdir(parents=True, exist_ok=True)
    text = (files("bot.playground") / "own_networks.toml").read_text(encoding="utf-8")
    file = directory / FILE
    text = text.replace("BASE", f"{vendors_url}/{LETTERLY}").replace("SUITE", f"{vendors_url}/{SUITE}")
    file.write_text(text, encoding="utf-8")
    return {"LAPSEBOT_NETWORKS_FILE": str(file)}


class OwnPeople:
    """What people do at one of them."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._play, self._session = f"{url}/_play", session

    async def make_key(self, account: str) -> str:
        """Make a key of an account at Letterly."""
        return str((await self._call("POST", "keys", {"account": account}))["key"])

    async def set_up(self, *, api: str, key: str, secret: str) -> None:
        """Tell the host product where lapsebot is, and with what it is asked and told."""
        await self._call("POST", "setup", {"api": api, "key": key, "secret": secret})

    async def break_(self, kind: str, account: str = "") -> str:
        """Make something happen there, and give the break's id."""
        return str((await self._call("POST", "breaks", {"kind": kind, "account": account}))["id"])

    async def repair(self, break_id: str) -> None:
        """Undo it."""
        await self._call("DELETE", f"breaks/{break_id}")

    async def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        async with self._session.request(method, f"{self._play}/{path}", json=body) as answer:
            answer.raise_for_status()
            return await answer.json()
