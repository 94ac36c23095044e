"""Every network's file carries its own examples; one test runs them all."""

from types import ModuleType

import pytest

from platform_adapters.discovery import network_modules
from platform_adapters.networks.answers import (
    meaning,
)

MODULES = network_modules()


CASES = [
    pytest.param(module, index, id=f"{module.SPEC.slug}-{index}")
    for module in MODULES
    for index in range(len(getattr(module, "EXAMPLES", ())))  # one without is named by test_complete
]


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize(("module", "index"), CASES)
def test_an_answer_of_the_network_leads_to_the_verdict_that_its_documentation_gives(
    module: ModuleType, index: int
) -> None:
    example = module.EXAMPLES[index]
    finding = meaning(example.reply, module.classify)
    assert (finding.verdict if finding is not None else None) == example.verdict


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.SPEC.slug)
def test_a_declaration_says_all_that_people_are_told(module: ModuleType) -> None:
    spec = module.SPEC
    assert spec.slug == module.__name__.rpartition(".")[2]
    assert all((spec.name, spec.permissions, spec.stops, spec.checklist, spec.steps))
    assert all(permission.label and permission.satisfied_by for permission in spec.permissions)


def test_no_word_names_two_networks() -> None:
    words = [word for module in MODULES for word in {module.SPEC.slug, module.SPEC.name.lower(), *module.SPEC.aliases}]
    assert len(words) == len(set(words))
