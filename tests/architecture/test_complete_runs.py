"""The rules of tests/conftest.py: nothing is left out in silence, nothing leaves this machine, and the process stays as
it was.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import OutsideConnectionError

ROOT = Path(__file__).parents[2]

SKIPPED_TEST = """
import pytest
@pytest.mark.skip(reason="no browser here")
def test_left_out(): ...
def test_run(): ...
"""
SKIPPED_FILE = """
import pytest
pytest.skip("no browser here", allow_module_level=True)
"""

LEAVES_THINGS = """
import logging, os
def test_it():
    logging.getLogger("asyncio").setLevel("ERROR")
    os.environ["SOMETHING"] = "a value that may be secret"
"""


def run_pytest(folder: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(source)
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "test_it.py"],
        cwd=folder,
        # Plugins that the rules do not need take longer to load than the run takes.
        env={**kept, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_FILE])
def test_what_was_left_out_is_named_at_the_end(tmp_path: Path, source: str) -> None:
    done = run_pytest(tmp_path, source)
    assert "left out: 1" in done.stdout
    assert "no browser here" in done.stdout


@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_FILE])
def test_leaving_something_out_fails_under_ci(tmp_path: Path, source: str) -> None:
    done = run_pytest(tmp_path, source, CI="true")
    assert done.returncode not in (0, 5)
    assert "CI=true forbids: " in done.stdout


def test_a_file_that_leaves_the_process_changed_fails_and_says_what_without_values(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, LEAVES_THINGS)
    assert "left it so: environment: SOMETHING, level of asyncio" in done.stdout
    assert "may be secret" not in done.stdout.replace(LEAVES_THINGS, "")
    assert "1 passed, 1 error" in done.stdout


def test_sockets_reach_this_machine_only() -> None:
    # 192.0.2.0/24 and .invalid are set aside for examples (RFC 5737, RFC 2606); neither is tried.
    with socket.socket() as outgoing, pytest.raises(OutsideConnectionError):
        outgoing.connect(("192.0.2.1", 80))
    with pytest.raises(OutsideConnectionError):
        socket.getaddrinfo("somewhere.invalid", 80)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
