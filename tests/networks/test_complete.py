"""Whoever adds a network hears at once all that it still lacks, by the names that docs/extending.md gives."""

import csv
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from bot.playground.stand_ins import ADDRESSES
from platform_adapters.discovery import network_modules
from tests.support.network_rigs import PERMISSIONS

ROOT = Path(__file__).parents[2]
HISTORY = {"amazon_ads": 60, "google_ads": 1123, "meta": 1123, "microsoft_ads": 1095, "pinterest": 90}
"""How many days back networks give data out, at the least, where their documentation says so."""


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


@pytest.mark.behaviour("X-9")
@pytest.mark.parametrize("module", network_modules(), ids=lambda module: module.SPEC.slug)
def test_a_gap_is_told_to_be_open_for_as_long_as_the_network_documents(module: ModuleType) -> None:
    days = HISTORY.get(module.SPEC.slug)
    assert module.SPEC.history == (None if days is None else timedelta(days=days))
