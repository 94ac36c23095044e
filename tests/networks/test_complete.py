"""Whoever adds a network hears at once all that it still lacks, by the names that docs/extending.md gives."""

import csv
from pathlib import Path
from types import ModuleType

import pytest

from bot.playground.stand_ins import ADDRESSES
from platform_adapters.discovery import network_modules
from tests.support.network_rigs import PERMISSIONS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", network_modules(), ids=lambda module: module.SPEC.slug)
def test_a_network_brings_all_that_extending_asks_for(module: ModuleType) -> None:
    spec, playground = module.SPEC, ROOT / "bot/playground"
    words = {spec.slug, spec.name.casefold(), *spec.aliases}
    with (playground / "connections.csv").open(encoding="utf-8") as file:
        held = {row["network"].casefold() for row in csv.DictReader(file)}
    there = {
        **{f"{name} in its own file": getattr(module, name, None) for name in ("build", "classify", "EXAMPLES")},
        "what it lets us tell apart, in `detects` of its SPEC": spec.detects,
        "a stand-in in bot/playground/vendors/networks/wires/": (
            playground / f"vendors/networks/wires/{spec.slug}.py"
        ).exists(),
        "its addresses in bot/playground/stand_ins.py": spec.slug in ADDRESSES,
        "its permissions' codes in tests/support/network_rigs.py": spec.slug in PERMISSIONS,
        "an account in bot/playground/connections.csv": held & words,
    }
    lacks = [name for name, found in there.items() if not found]
    assert not lacks, f"{spec.name} lacks {'; '.join(lacks)}"
