"""A network's slug is branched on in its own file and nowhere else: what differs is a field of its declaration."""

import ast
from collections.abc import Iterator
from pathlib import Path

from platform_adapters.discovery import network_names

ROOT = Path(__file__).parents[2]
FOLDERS = ("bot", "commands", "storage", "platform_adapters/chat")
STAND_INS = ROOT / "bot/playground"
"""Plays each vendor by itself: by folder, and by a table of addresses that docs/extending.md tells of."""


def test_no_network_is_told_apart_by_its_slug() -> None:
    slugs = set(network_names())
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path in sorted(modules)
        if not path.is_relative_to(STAND_INS)
        for line, word in _told_apart(ast.parse(path.read_text(encoding="utf-8")))
        if word in slugs
    ]
    assert found == []
    assert modules


def _told_apart(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every word that something is compared with, matched against or looked up by."""
    for node in ast.walk(tree):
        held: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            held = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            held = [node.value]
        elif isinstance(node, ast.Dict):
            held = [key for key in node.keys if key is not None]
        elif isinstance(node, ast.Subscript):
            held = [node.slice]
        for expression in held:
            for each in ast.walk(expression):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.lineno, each.value
