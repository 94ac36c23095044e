"""The demo's own network: a vendor that is read with keys, and the file that declares it, as an operator would."""

from importlib.resources import files
from pathlib import Path

from bot.playground.vendors.networks.wires.keyed import Letterly

FILE = "networks.toml"
ACCOUNTS = {"L-1001": "Acme Letters", "L-1002": "Brio News", "L-1003": "Cato Weekly"}


def vendor() -> Letterly:
    """The vendor, with some accounts to make keys of."""
    return Letterly(accounts=dict(ACCOUNTS))


def declare(directory: Path, base: str) -> dict[str, str]:
    """Write the file for a vendor that is reached at `base`, and give the setting that names it."""
    directory.mkdir(parents=True, exist_ok=True)
    text = (files("bot.playground") / "own_networks.toml").read_text(encoding="utf-8")
    file = directory / FILE
    file.write_text(text.replace("BASE", base), encoding="utf-8")
    return {"LAPSEBOT_NETWORKS_FILE": str(file)}
