"""A network is one file, a chat platform one folder: dropped into place, they are found; nothing else is edited."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

NETWORK = '''
"""A network that was dropped into place."""

from dataclasses import replace

from platform_adapters.networks.linkedin import EXAMPLES, SPEC as LINKEDIN, LinkedIn, classify
from platform_adapters.networks.credentials import read_credentials

SPEC = replace(LINKEDIN, slug="droppednet", name="Droppednet", aliases=())


class Dropped(LinkedIn):
    spec = SPEC


def build(environment, clock):
    url = "https://dropped.example"
    found = read_credentials(environment, SPEC.slug, authorize_url=url, token_url=url, api_url=url)
    return Dropped(found, clock) if found is not None else None
'''

PLATFORM = '''
"""A chat platform that was dropped into place."""


class Dropped:
    name = "droppedchat"


def build(environment, clock):
    return Dropped() if "LAPSEBOT_DROPPEDCHAT_TOKEN" in environment else None
'''

LOOK = """
import sys
from platform_adapters.discovery import build_chat_platforms, build_networks, chat_platform_names, network_names
names = [*chat_platform_names(), *network_names()]
assert not {"slack_bolt", "slack_sdk", "discord"} & set(sys.modules), "looking for adapters imports no SDK"
environment = {"LAPSEBOT_DROPPEDNET_CLIENT_ID": "id", "LAPSEBOT_DROPPEDNET_CLIENT_SECRET": "secret",
               "LAPSEBOT_DROPPEDCHAT_TOKEN": "token"}
print(*names)
print(*build_networks(environment, None), *build_chat_platforms(environment, None))
"""


def test_a_network_file_and_a_platform_folder_dropped_into_place_are_found(tmp_path: Path) -> None:
    for package in ("commands", "platform_adapters"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "platform_adapters/networks/droppednet.py").write_text(NETWORK)
    folder = tmp_path / "platform_adapters/chat/droppedchat"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "adapter.py").write_text(PLATFORM)
    (folder / "logs.py").write_text("SECRET_SHAPES = ()\nQUIET_LOGGERS = {}\n")
    found = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == 0, found.stderr
    names, built = (line.split() for line in found.stdout.splitlines())
    assert {"droppednet", "droppedchat", "slack", "linkedin"} <= set(names)
    assert built == ["droppednet", "droppedchat"]
