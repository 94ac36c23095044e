"""docs/behaviours.md lists every behaviour, and what it calls delivered has a test that carries its number."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

# How many behaviours each letter has, so that none can drop out of the table unseen.
COUNTS = {"D": 8, "N": 19, "C": 12, "P": 7, "R": 19, "A": 8, "X": 12}

ROW = re.compile(r"\| (?P<number>[A-Z]-\d+) \| [^|]+ \| [ABC] \| (?P<delivered>yes|no) \|")


class Behaviour(NamedTuple):
    number: str
    delivered: bool


def listed() -> list[Behaviour]:
    lines = (ROOT / "docs/behaviours.md").read_text().splitlines()
    rows = [line for line in lines if re.match(r"\| *[A-Z]-", line)]
    matches = [ROW.fullmatch(row) for row in rows]
    assert None not in matches, [row for row, match in zip(rows, matches, strict=True) if match is None]
    return [Behaviour(m["number"], m["delivered"] == "yes") for m in matches if m is not None]


def marked(source: str) -> set[str]:
    """Give the numbers of all `behaviour(...)` marks in a source, on functions, classes, parameters or modules."""
    numbers = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "behaviour":
            for argument in node.args:
                assert isinstance(argument, ast.Constant), f"line {node.lineno}: a behaviour's number is written out"
                numbers.add(str(argument.value))
    return numbers


def carried() -> set[str]:
    return set().union(*(marked(file.read_text()) for file in (ROOT / "tests").rglob("test_*.py")))


def test_every_behaviour_is_listed_once() -> None:
    expected = [f"{letter}-{index}" for letter, count in COUNTS.items() for index in range(1, count + 1)]
    assert [behaviour.number for behaviour in listed()] == expected


def test_every_delivered_behaviour_has_a_test_that_carries_its_number() -> None:
    assert {behaviour.number for behaviour in listed() if behaviour.delivered} - carried() == set()


def test_no_test_carries_a_number_that_is_not_listed() -> None:
    assert carried() - {behaviour.number for behaviour in listed()} == set()


def test_marks_are_seen_wherever_pytest_sees_them() -> None:
    source = """
pytestmark = pytest.mark.behaviour("A-1")
@pytest.mark.behaviour("B-1", "B-2")
async def test(): ...
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.behaviour("C-1"))])
def test(): ...
"""
    assert marked(source) == {"A-1", "B-1", "B-2", "C-1"}
