"""Rules on imports that a contract of import-linter cannot say; the others are in pyproject.toml."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUR_PACKAGES = {"bot", "commands", "platform_adapters", "storage", "tests"}


def imports_in(source: str, module: str) -> Iterator[tuple[int, str]]:
    """Give line and full name of everything that the module's source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            origin = [*above, node.module] if node.module else above
            yield from ((node.lineno, ".".join([*origin, alias.name])) for alias in node.names)


def outside_the_core(source: str, module: str = "commands.example") -> list[str]:
    allowed = sys.stdlib_module_names | {"commands"}
    return [f"line {line}: {name}" for line, name in imports_in(source, module) if name.split(".")[0] not in allowed]


def ours_outside_the_vendors(source: str, module: str = "bot.playground.vendors.example") -> list[str]:
    return [
        f"line {line}: {name}"
        for line, name in imports_in(source, module)
        if name.split(".")[0] in OUR_PACKAGES and not name.startswith("bot.playground.vendors.")
    ]


def findings(folder: str, rule: Callable[[str, str], list[str]]) -> dict[str, list[str]]:
    found = {}
    for file in (ROOT / folder).rglob("*.py"):
        # A package's own file counts as a module in it, which is how a dot in it is meant.
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        found[module] = rule(file.read_text(), module)
    assert found, f"{folder} holds no module"
    return {module: lines for module, lines in found.items() if lines}


def test_the_core_imports_only_the_standard_library() -> None:
    assert findings("commands", outside_the_core) == {}


def test_the_stand_ins_of_the_vendors_import_none_of_our_packages() -> None:
    assert findings("bot/playground/vendors", ours_outside_the_vendors) == {}


@pytest.mark.parametrize(
    "source", ["import aiohttp", "def f():\n    from sqlalchemy import select", "from bot.settings import Settings"]
)
def test_an_import_from_outside_the_core_is_seen(source: str) -> None:
    assert outside_the_core(source)


@pytest.mark.parametrize(
    "source", ["import commands", "from bot import settings", "from bot.playground import page", "from ..page import x"]
)
def test_an_import_of_our_packages_by_a_stand_in_is_seen(source: str) -> None:
    assert ours_outside_the_vendors(source)
