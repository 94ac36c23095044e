"""A demo for each file of tests, started as `lapsebot demo` is, and a browser for each test."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.playground.demo import free_port
from tests.e2e.visit import PATIENCE, Visit, browsing, chromium

ADDRESS = re.compile(r"Open (http://\S+)")
STOP_WITHIN = 30.0


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address that a running demo printed. It stops in order, or the test run fails."""
    directory = tmp_path_factory.mktemp("demo")
    with (directory / "errors").open("w+") as errors, demo_process(directory, errors.fileno()) as process:
        assert process.stdout is not None
        found = next((match for line in process.stdout if (match := ADDRESS.search(line))), None)
        if found is None:
            errors.seek(0)
            pytest.fail(f"the demo did not start: {errors.read()[-3000:]}")
        yield found[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_WITHIN) == 0


def demo_process(directory: Path, errors: int) -> subprocess.Popen[str]:
    """The demo as a person starts it, on a free port."""
    command = [sys.executable, "-m", "bot", "demo", "--port", str(free_port(0)), "--directory", str(directory / "data")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAPSEBOT_")}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)


@pytest.fixture(scope="session")
def executable() -> str:
    found = chromium()
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@pytest.fixture
async def browser(executable: str) -> AsyncIterator[Browser]:
    async with browsing(executable) as browser:
        yield browser


@pytest.fixture
async def visit(browser: Browser, demo_url: str) -> Visit:
    """Somebody opens the playground, with a browser that was never there."""
    expect.set_options(timeout=PATIENCE)
    return await Visit.begin(browser, demo_url)
