"""What the core and the networks say, in the reader's language: every sentence has every language (X-10)."""

import ast
import copy
import pickle
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import bot.web
import commands
import platform_adapters.networks
from bot.web.languages import ENGLISH, OTHERS, load_languages
from commands.causes import cause_name, cause_text, lapse_text
from commands.gaps import Gap, gap_line, gap_sentences
from commands.ids import ConnectionId, LapseId, OrganizationId, new_id
from commands.messages import Moment, MomentStyle
from commands.model import CLEAR_LAPSES, Evidence, Lapse, Verdict
from commands.ports.network import CauseText, NetworkSpec
from commands.rehearsal import sentences
from commands.wording import Sentence, names_in
from platform_adapters.discovery import network_modules
from tests.support.network import spec

WEB = Path(next(iter(bot.web.__path__)))
SPOKEN_BY = (
    *WEB.glob("*.py"),
    *Path(next(iter(commands.__path__))).rglob("*.py"),
    *Path(platform_adapters.networks.__path__[0]).glob("*.py"),
)
LANGUAGES = load_languages()
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def of_cause(words: CauseText) -> Iterator[str]:
    return (said for said in (words.happened, words.mend, words.not_helping) if said)


def of_network(declared: NetworkSpec) -> Iterator[str]:
    """All that a declaration says. Permissions are called what the network's own page calls them."""
    yield from (declared.login_label, declared.reconnect_requirement)
    yield from filter(None, (declared.switch_login, declared.parent_label))
    yield from (*declared.stops, *declared.checklist, *declared.steps)
    for words in declared.causes.values():
        yield from of_cause(words)


def written_with_facts() -> Iterator[str]:
    """The texts of the sentences that are made in the source."""
    for path in SPOKEN_BY:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sentence":
                said = (each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant))
                yield from (each for each in said if isinstance(each, str) and each)


SPECS = [module.SPEC for module in network_modules()]
SAID = {
    *written_with_facts(),
    *(cause_name(verdict) for verdict in Verdict),
    *(said for cause in CLEAR_LAPSES | {Verdict.UNCLEAR} for said in of_cause(cause_text(None, cause))),
    *(said for each in SPECS for said in of_network(each)),
}


def translated(code: str) -> dict[str, str]:
    with (WEB / "catalogues" / "core" / f"{code}.po").open("rb") as opened:
        catalogue = read_po(opened, locale=code, abort_invalid=True)
    return {str(message.id): str(message.string) for message in catalogue if message.id and not message.fuzzy}


@pytest.mark.behaviour("X-10")
@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_of_the_core_and_of_every_network_has_every_language(code: str) -> None:
    catalogue = translated(code)
    assert sorted(said for said in SAID if not catalogue.get(said)) == []


@pytest.mark.behaviour("X-10")
@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_names_the_facts_of_its_sentence_and_ends_as_it_does(code: str) -> None:
    for english, said in translated(code).items():
        assert sorted(names_in(said)) == sorted(names_in(english)), english
        assert said.endswith(".") or not english.endswith("."), english
        assert said == said.strip(), english
        assert not {"token", "scope", "oauth"} & set(said.lower().replace(".", " ").split()), english


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogues_hold_nothing_that_nobody_says(code: str) -> None:
    operators_words = {"key", "API key"}
    assert set(translated(code)) - SAID == operators_words


@pytest.mark.behaviour("X-10", "R-2")
def test_a_checklist_is_told_in_the_readers_language_with_its_facts_and_labels_as_the_networks_page_has_them() -> None:
    tiktok = next(each for each in SPECS if each.slug == "tiktok")
    told = [
        LANGUAGES["de"].tell("UTC", said) for said in sentences(tiktok, {"parent": "A <b> & Co", "parent_id": "8194"})
    ]
    assert told[0] == "Sie brauchen die Admin-Rolle im Business Center A &lt;b&gt; &amp; Co (8194)."
    assert told[-1] == "Lassen Sie auf TikToks Seite diese beiden an: Ad Account Management und Reporting."
    assert len(told) == 3  # the account's number is not known


@pytest.mark.behaviour("X-10")
def test_words_that_no_catalogue_has_stay_as_they_were_declared_and_are_escaped() -> None:
    own = spec(stops=("<i>letters</i>", "spend"), checklist=("Ask {subject} at R&D.",))
    (said,) = sentences(own, {"subject": "Ana"})
    assert LANGUAGES["fr"].tell(None, said) == "Ask Ana at R&amp;D."
    assert LANGUAGES["fr"].tell(None, own.stops) == "&lt;i&gt;letters&lt;/i&gt; et dépenses"


@pytest.mark.behaviour("X-10")
@pytest.mark.parametrize(("code", "words"), [("en", "a, b and c"), ("de", "a, b und c"), ("es", "a, b y c")])
def test_several_words_are_a_list_of_the_language(code: str, words: str) -> None:
    assert LANGUAGES[code].tell(None, ("a", "b", "c")) == words
    assert LANGUAGES[code].tell(None, ("a",)) == "a"
    assert LANGUAGES[code].tell(None, ()) == ""


@pytest.mark.behaviour("X-10")
def test_a_fact_that_is_a_word_of_ours_is_told_as_well_and_a_name_that_happens_to_be_one_is_not() -> None:
    german = LANGUAGES["de"]
    assert german.tell(None, Sentence("{name} is on it", name=Sentence("somebody"))) == "jemand kümmert sich darum"
    assert german.tell(None, Sentence("{name} is on it", name="somebody")) == "somebody kümmert sich darum"


@pytest.mark.behaviour("X-10", "D-7")
def test_what_a_host_product_said_stands_in_its_own_words_after_the_cause_in_the_readers() -> None:
    lapse = Lapse(
        id=LapseId(new_id(NOW)),
        organization_id=OrganizationId(new_id(NOW)),
        connection_id=ConnectionId(new_id(NOW)),
        authorization_id=None,
        cause=Verdict.REVOKED,
        evidence=Evidence(check="reported", said="<Gone> {x}"),
        last_good_at=None,
        opened_at=NOW,
    )
    told = LANGUAGES["de"].tell(None, lapse_text(None, lapse).happened)
    assert told == (
        "Unser Zugriff wurde im Netzwerk entfernt. Das System, das diese Verbindung hält, meldet: „&lt;Gone&gt; {x}“."
    )
    reported = lapse_text(None, replace(lapse, cause=Verdict.REPORTED)).happened
    assert LANGUAGES["en"].tell(None, reported).startswith("The system that holds this connection says:")


@pytest.mark.behaviour("X-10", "X-9")
def test_times_in_a_sentence_stand_in_the_readers_zone_and_language() -> None:
    gap = Gap(begins_at=NOW, ends_at=NOW, fetchable_until=None, filled_at=NOW, note="<all>")
    missing, filled = (LANGUAGES["es"].tell("Europe/Madrid", said) for said in gap_sentences(gap, "Examplenet", NOW))
    assert missing.count("10:00 CET</time>") == 2
    assert missing.startswith("Pueden faltar datos desde <time ")
    assert "«&lt;all&gt;»" in filled
    assert "nov 2026</time>" in filled  # a day alone
    assert [span.style for span in gap_line(gap, "Examplenet", NOW) if isinstance(span, Moment)] == [
        MomentStyle.TIME,
        MomentStyle.TIME,
        MomentStyle.DAY,
    ]


def test_a_sentence_is_its_english_also_when_it_is_copied_and_when_names_hold_braces() -> None:
    said = Sentence("{name} is on it", name="{name} {x}")
    assert said == "{name} {x} is on it"
    for copied in (copy.deepcopy(said), pickle.loads(pickle.dumps(said))):  # noqa: S301 - what was pickled just here
        assert (copied, copied.text, copied.facts) == (said, said.text, said.facts)
    assert str(LANGUAGES[ENGLISH].tell(None, Sentence("At {home"))) == "At {home"


def test_no_sentence_of_a_network_has_a_place_that_is_written_wrongly() -> None:
    for said in SAID:
        assert all(name.isidentifier() for name in names_in(said)), said
        assert all(not spec and not how for _, name, spec, how in string.Formatter().parse(said) if name), said
