"""Pages in the reader's language: catalogues that are whole, and the choice among them (X-10)."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.ext import babel_extract

import bot.web
from bot.web.languages import ENGLISH, OTHERS, load_languages, preferred
from commands.ids import to_wire
from commands.model import ConnectionState, Role, Verdict
from commands.ports.reconnecting import PassPurpose
from tests.web.browser import Browser
from tests.web.rig import Rig, opened_rig

WEB = Path(next(iter(bot.web.__path__)))
SAID = frozenset(f"{what} at %(network)s" for what in ("Reconnect", "Connect", "Renew", "Enter key"))
"""What a page's Python says, beside its template."""
Message = str | tuple[str, str]
LANGUAGES = load_languages()


def written() -> set[Message]:
    """Every message of the pages that have several languages."""
    found: set[Message] = set(SAID)
    for template in (WEB / "templates").glob("*.html"):
        with template.open("rb") as opened:
            for _, function, message, _ in babel_extract(opened, ["_", "_n"], [], {"encoding": "utf-8"}):
                words = [message] if isinstance(message, str) else [word for word in message or () if word]
                assert words, f"{template.name} translates what is no literal"
                found.add((words[0], words[1]) if function == "_n" else words[0])
    return found


WRITTEN = written()


def translated(code: str) -> dict[Message, tuple[str, ...]]:
    with (WEB / "catalogues" / f"{code}.po").open("rb") as opened:
        catalogue = read_po(opened, locale=code, abort_invalid=True)
    found: dict[Message, tuple[str, ...]] = {}
    for message in catalogue:
        if isinstance(message.id, str) and message.id:
            found[message.id] = (str(message.string),)
        elif not isinstance(message.id, str):
            one, many = message.id
            found[one, many] = tuple(message.string or ())
    return found


@pytest.mark.behaviour("X-10")
@pytest.mark.parametrize("code", OTHERS)
def test_every_message_has_every_language_and_nothing_is_left_over(code: str) -> None:
    assert set(translated(code)) == WRITTEN
    assert all(all(forms) for forms in translated(code).values()), "none is empty"


@pytest.mark.behaviour("X-10")
@pytest.mark.parametrize("code", OTHERS)
def test_placeholders_agree_with_the_english_and_no_translation_brings_markup(code: str) -> None:
    for message, forms in translated(code).items():
        english = (message,) if isinstance(message, str) else message
        for place, form in enumerate(forms):
            assert placeholders(form) == placeholders(english[min(place, len(english) - 1)]), form
            assert not re.search(r"""[<>&"]""", form), form
            assert not re.search(r"%(?!\([a-z]+\)s)", form), form


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(([a-z]+)\)s", text))


@pytest.mark.behaviour("X-10")
@settings(max_examples=20, deadline=None)
@given(code=st.sampled_from((ENGLISH, *OTHERS)), number=st.integers(0, 10**6), value=st.text(max_size=30))
def test_whatever_is_put_into_a_message_is_escaped_and_stands_in_it(code: str, number: int, value: str) -> None:
    language, filling = LANGUAGES[code], f"<b>{value}</b> %(x)s"
    for message in WRITTEN:
        if isinstance(message, str):
            names = placeholders(message)
            said = language.say(message, **dict.fromkeys(names, filling))
            assert "<b>" not in said
            assert said.count("&lt;b&gt;") >= len(names)
        else:
            values = dict.fromkeys(placeholders(message[1]) - {"number"}, filling)
            said = language.say_number(*message, number, **values)
            assert "<b>" not in said


@pytest.mark.behaviour("X-10")
@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH,en;q=0.5", "de"),
        ("en-GB, de;q=0.9", "en"),
        ("it, fr;q=0.8, en;q=0.7", "fr"),
        ("es-419;q=0.3, FR;q=0.4", "fr"),
        ("de;q=0, es;q=0.1", "es"),
        ("ja, *;q=0.5", "en"),
        ("de;q=nan", "en"),
        ("de;level=1", "en"),
        (";;;,,,q=", "en"),
    ],
)
def test_the_language_asked_for_most_is_taken(header: str, code: str) -> None:
    assert preferred(header, LANGUAGES) == code


@given(st.text(max_size=200))
def test_no_header_breaks_a_page(header: str) -> None:
    assert preferred(header, LANGUAGES) in LANGUAGES


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        await opened.add_person("Olga Owner", Role.OWNER, linked=False)
        yield opened


@pytest.mark.behaviour("X-10", "R-13")
async def test_a_personal_page_speaks_its_readers_language_and_says_which(rig: Rig, browser: Browser) -> None:
    ending = await rig.add_authorization(
        "Ana Ruiz", subject="s-soon", name="Anna & Co", ends_at=rig.clock.now() + timedelta(days=5)
    )
    lapsed = await rig.add_connection("1", "Kaputt <1>", owner="Olga Owner", cause=Verdict.CREDENTIAL_CHANGED)
    await rig.add_connection("2", "Läuft", owner="Olga Owner", state=ConnectionState.ACTIVE, authorization_id=ending)
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    first = await browser.get(path, **{"Accept-Language": "de-AT,de;q=0.9,en;q=0.1"})
    assert '<html lang="de">' in first.text
    assert "Meine Konten anzeigen" in first.words
    assert first.headers["Vary"] == "Accept-Language"
    await browser.submit(first, path)
    said = {
        "de": ("Konten von Olga Owner", "1 von 2 Konten muss verbunden werden", "getrennt seit", "Passwort geändert",
               "Bei Examplenet neu verbinden", "läuft ab am"),
        "fr": ("Comptes de Olga Owner", "1 compte sur 2 est à connecter", "mot de passe modifié",
               "Reconnecter chez Examplenet", "expire le"),
        "es": ("Cuentas de Olga Owner", "1 cuenta de 2 necesita conexión", "contraseña cambiada",
               "Reconectar en Examplenet", "caduca el"),
        "en": ("Accounts of Olga Owner", "1 account of 2 needs connecting", "password changed",
               "Reconnect at Examplenet", "expires"),
    }  # fmt: skip
    for code, sentences in said.items():
        page = await browser.get(path, **{"Accept-Language": code})
        assert f'<html lang="{code}">' in page.text
        for sentence in sentences:
            assert sentence in page.words, (code, sentence)
        assert "<bdi>Kaputt &lt;1&gt;</bdi>" in page.text
        assert page.form(path, connection=to_wire(lapsed))["connection"] == to_wire(lapsed)


@pytest.mark.behaviour("X-10")
async def test_a_page_that_has_one_language_says_so_whatever_is_asked_for(rig: Rig, browser: Browser) -> None:
    page = await browser.get("/", **{"Accept-Language": "de"})
    assert '<html lang="en">' in page.text
    over = await browser.get("/p/" + "0" * 22, **{"Accept-Language": "fr"})
    assert '<html lang="fr">' in over.text
    assert "Ce lien ne mène nulle part" in over.words


@pytest.mark.behaviour("X-10", "R-1", "R-15")
async def test_the_way_on_from_a_personal_link_speaks_its_readers_language(rig: Rig, browser: Browser) -> None:
    """The list, the account's page before the login, and how it ended."""
    lapsed = await rig.add_connection("1", "Kaputt", owner="Olga Owner", cause=Verdict.CREDENTIAL_CHANGED)
    path = await rig.bearer_link(PassPurpose.ACCOUNTS, "Olga Owner")
    browser.session.headers["Accept-Language"] = "de"
    await browser.submit(await browser.get(path), path)
    page = await browser.get(path)
    to_link = await browser.post(path, page.form(path, connection=to_wire(lapsed)))
    before = await browser.follow(to_link)
    assert '<html lang="de">' in before.text
    for sentence in ("Examplenet-Konto", "Getrennt seit", "Bevor Sie fortfahren", "Bei Examplenet neu verbinden"):
        assert sentence in before.words, sentence
    rig.login("1", subject="s-olga", name="Olga at Examplenet")
    after = await rig.reconnect(browser, to_link.location)
    assert '<html lang="de">' in after.text
    for sentence in ("Wiederhergestellt", "1 Konto ist zurück.", "können diese Seite schließen"):
        assert sentence in after.words, sentence
