"""What was typed or chosen becomes the same query, and only CommandError ever comes of nonsense."""

import string
from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.actions import ListView, OutOfDate, StateFilter, list_action, list_of
from commands.errors import CommandError
from commands.ids import ClientId, PersonId
from commands.messages import ACTION_LIMIT, ActionRef
from commands.model import Rhythm, Topic
from commands.parsing import (
    SEARCH_LIMIT,
    LapsedQuery,
    Show,
    network_names,
    parse_account,
    parse_claim,
    parse_lapsed,
    parse_network,
)
from commands.parsing_subscriptions import SubscriptionQuery, parse_subscription
from commands.ports.chat import Options, Words
from commands.usage import CONNECT, LAPSED, RECONNECT, SUBSCRIBE, USAGES
from tests.commands.plain import plain
from tests.support.network import FakeNetwork, spec

NETWORKS = {
    "tiktok": FakeNetwork(spec("tiktok", name="TikTok", aliases=("tt", "tik tok"))),
    "meta": FakeNetwork(spec("meta", name="Meta", aliases=("facebook", "fb", "instagram", "ig"))),
    "google": FakeNetwork(spec("google", name="Google Ads", aliases=("youtube", "yt"))),
}
NAMES = network_names(NETWORKS)
ACME, BRIO = ClientId(UUID(int=1)), ClientId(UUID(int=2))
DAILY_MAIL = ClientId(UUID(int=3))
CLIENTS = {"Acme": ACME, "Brio & Sons": BRIO, "Daily Mail": DAILY_MAIL}


def lapsed(text: str) -> LapsedQuery:
    return parse_lapsed(Words(text=text), NAMES)


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(CommandError) as caught:
        read()
    return plain(caught.value.answer)


@pytest.mark.behaviour("C-2")
@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", LapsedQuery()),
        ("mine", LapsedQuery(mine=True)),
        ("@me", LapsedQuery(mine=True)),
        ("fb", LapsedQuery(network="meta")),
        ("IG", LapsedQuery(network="meta")),
        ("yt mine", LapsedQuery(network="google", mine=True)),
        ("mine google ads", LapsedQuery(network="google", mine=True)),
        ("all", LapsedQuery(state=StateFilter.ALL)),
        ("expiring client:Acme", LapsedQuery(state=StateFilter.EXPIRING, client="Acme")),
        ('client: "Brio & Sons" tiktok', LapsedQuery(client="Brio & Sons", network="tiktok")),
        ("client:“Brio & Sons”", LapsedQuery(client="Brio & Sons")),
        ("@U0123", LapsedQuery(person="@U0123")),
        ("person:Ana", LapsedQuery(person="Ana")),
        ("Acme EU Ads", LapsedQuery(words="Acme EU Ads")),
        ("Acme tiktok EU", LapsedQuery(network="tiktok", words="Acme EU")),
        ('"tiktok"', LapsedQuery(words="tiktok")),
        ("7012345678901234567", LapsedQuery(words="7012345678901234567")),
        ("account:7012", LapsedQuery(account="7012")),
        ("Sale: 50%", LapsedQuery(words="Sale: 50%")),
        ("who 7012", LapsedQuery(show=Show.WHO, account="7012")),
        ("WHO Acme All Stars", LapsedQuery(show=Show.WHO, account="Acme All Stars")),
        ("who @acme_eu", LapsedQuery(show=Show.WHO, account="@acme_eu")),
        ("check tiktok Acme DE", LapsedQuery(show=Show.CHECK, network="tiktok", account="Acme DE")),
        ("why", LapsedQuery(show=Show.WHY)),
        ("why fb", LapsedQuery(show=Show.WHY, network="meta")),
        ("help me please", LapsedQuery(show=Show.HELP, account="me please")),
        ("history Acme DE", LapsedQuery(show=Show.HISTORY, account="Acme DE")),
        ("who-can 7012", LapsedQuery(show=Show.WHO_CAN, account="7012")),
        ("stats", LapsedQuery(show=Show.STATS)),
        ("stats fb mine", LapsedQuery(show=Show.STATS, network="meta", mine=True)),
        ("mine google ads stats", LapsedQuery(show=Show.STATS, network="google", mine=True)),
        ("stats Brio & Sons", LapsedQuery(show=Show.STATS, words="Brio & Sons")),
        ("tik tok who Acme DE", LapsedQuery(show=Show.WHO, network="tiktok", account="Acme DE")),
        (
            "client:Acme network:fb history Sale",
            LapsedQuery(show=Show.HISTORY, client="Acme", network="meta", account="Sale"),
        ),
        ("Acme history", LapsedQuery(words="Acme history")),
        ('tiktok "stats"', LapsedQuery(network="tiktok", words="stats")),
    ],
)
def test_words_are_read_in_any_order(typed: str, query: LapsedQuery) -> None:
    assert lapsed(typed) == query


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("", {}),
        ("tiktok", {"network": "tiktok"}),
        ("twice", {"account": ""}),
        ("mine fb", {"mine": "yes", "network": "facebook"}),
        ("who 7012345", {"show": "who", "account": "7012345"}),
        ("check Acme EU Ads", {"show": "check", "account": "Acme EU Ads"}),
        ("@U1 expiring", {"person": "@U1", "state": "expiring"}),
        ('client:"Brio & Sons" all', {"client": "Brio & Sons", "state": "all"}),
        ("why linkedin", {"show": "why", "network": "linkedin"}),
        ("help", {"show": "help"}),
        ("history Acme EU", {"show": "history", "account": "Acme EU"}),
        ("tiktok stats mine", {"show": "stats", "network": "tiktok", "mine": "yes"}),
        ("who-can 7012", {"show": "who-can", "account": "7012"}),
    ],
)
def test_both_forms_give_the_same_query_or_the_same_refusal(words: str, options: dict[str, str]) -> None:
    def outcome(arguments: Words | Options) -> object:
        try:
            return parse_lapsed(arguments, NAMES)
        except CommandError:
            return "refused"

    expected = LapsedQuery(words="twice") if words == "twice" else outcome(Options(values=options))
    assert outcome(Words(text=words)) == expected


SAFE = st.text(string.ascii_letters + string.digits + " .&-'äß漢", min_size=1, max_size=30).map(str.strip).filter(bool)


@pytest.mark.behaviour("C-9")
@given(
    given_options=st.fixed_dictionaries(
        {},
        optional={
            "show": st.sampled_from(["list", "who", "check", "history", "who-can", "stats"]),
            "network": st.sampled_from(sorted(NAMES)),
            "client": SAFE,
            "person": st.sampled_from(["@U123", "@me123"]),
            "state": st.sampled_from(list(StateFilter)).map(str),
            "account": SAFE,
        },
    ),
    order=st.randoms(use_true_random=False),
)
def test_named_words_say_the_same_as_options(given_options: dict[str, str], order: Random) -> None:
    pairs = [f'{key}:"{value}"' for key, value in given_options.items()]
    order.shuffle(pairs)
    from_words = parse_lapsed(Words(text=" ".join(pairs)), NAMES)
    assert from_words == parse_lapsed(Options(values=given_options), NAMES)


PIECES = ["who ", "client:", "tiktok ", "mine ", "here ", "claim ", "@channel ", "<!channel> "]
ODD_CHARACTERS = '\x00\u200b\u200d\u202e\u2066\ud800"“:@#|<>`*_ \n\t'
ODD = st.lists(st.one_of(st.characters(), st.sampled_from(ODD_CHARACTERS), st.sampled_from(PIECES)), max_size=60).map(
    "".join
)


def parsed_or_refused(arguments: Words | Options) -> list[object]:
    """Read one request as each command would; a refusal stands as what it says."""
    outcomes: list[object] = []
    for read in (
        lambda: parse_lapsed(arguments, NAMES),
        lambda: parse_subscription(arguments, NAMES, CLIENTS, SUBSCRIBE),
        lambda: parse_claim(arguments),
        lambda: parse_account(arguments, NAMES, RECONNECT),
        lambda: parse_network(arguments, NAMES, CONNECT),
    ):
        try:
            outcomes.append(read())
        except CommandError as error:
            outcomes.append(plain(error.answer))
    return outcomes


@pytest.mark.behaviour("C-10")
@given(text=ODD, times=st.sampled_from([1, 1, 1, 40]))
def test_nothing_but_a_sentence_comes_of_any_words(text: str, times: int) -> None:
    for outcome in parsed_or_refused(Words(text=(text * times)[:3000])):
        if isinstance(outcome, LapsedQuery):
            for value in filter(None, (outcome.account, outcome.words)):
                assert len(value) <= SEARCH_LIMIT
                assert "\x00" not in value
                assert value.encode()


@pytest.mark.behaviour("C-10")
@given(values=st.dictionaries(st.one_of(ODD, st.sampled_from(["show", "network", "person", "mine", "state"])), ODD))
def test_nothing_but_a_sentence_comes_of_any_options(values: dict[str, str]) -> None:
    for outcome in parsed_or_refused(Options(values=values)):
        assert not isinstance(outcome, str) or len(outcome) < 600


@pytest.mark.behaviour("C-10")
def test_an_unknown_word_is_met_with_the_nearest_one_and_what_can_be_typed() -> None:
    said = refusal(lambda: lapsed("network:tictok"))
    assert said == (
        "I don't know a network called “tictok”. Did you mean *tiktok*?\n"
        "Try `/lapsed google`, `/lapsed mine`, `/lapsed who 7012345678901234567` or `/lapsed help`."
    )


@pytest.mark.behaviour("C-10")
def test_a_hint_comes_in_the_form_that_the_asker_used() -> None:
    said = refusal(lambda: parse_lapsed(Options(values={"network": "tictok"}), NAMES))
    assert "`/lapsed network:google`" in said
    assert "`/lapsed show:help`" in said


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tiktok fb", "I can look at one network at a time."),
        ("lapsed active", "I can look at one state at a time."),
        ("mine @U1", "Ask for yours or for somebody else's, one at a time."),
        ("client:", "Say which client you mean."),
        ("mine:perhaps", "I don't know “perhaps”."),
    ],
)
def test_what_contradicts_itself_is_said(typed: str, said: str) -> None:
    assert refusal(lambda: lapsed(typed)).startswith(said)


def test_one_network_under_two_names_is_one_network() -> None:
    assert lapsed("fb network:instagram").network == "meta"


def test_echoed_words_are_shortened_and_cleaned() -> None:
    said = refusal(lambda: lapsed("network:\u202e<!channel>" + "x" * 3000))
    assert "\u202e" not in said
    assert len(said) < 300


@pytest.mark.behaviour("C-5")
@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", SubscriptionQuery()),
        ("all", SubscriptionQuery(all=True)),
        ("here", SubscriptionQuery(here=True)),
        ("list", SubscriptionQuery(list=True)),
        ("tiktok fb here", SubscriptionQuery(networks=("tiktok", "meta"), here=True)),
        ("brio & sons", SubscriptionQuery(client_ids=(BRIO,))),
        ("acme tik tok BRIO & Sons", SubscriptionQuery(networks=("tiktok",), client_ids=(ACME, BRIO))),
        ('client:"Brio & Sons"', SubscriptionQuery(client_ids=(BRIO,))),
        ("network:all client:acme", SubscriptionQuery(all=True, client_ids=(ACME,))),
        ("everything here", SubscriptionQuery(everything=True, here=True)),
        ("fb instagram", SubscriptionQuery(networks=("meta",))),
        ("daily", SubscriptionQuery(rhythm=Rhythm.DAILY)),
        ("Weekly for warnings", SubscriptionQuery(rhythm=Rhythm.WEEKLY, topics=(Topic.WARNINGS,))),
        ("for lapses and warnings daily", SubscriptionQuery(rhythm=Rhythm.DAILY, topics=tuple(Topic))),
        ("tiktok immediate", SubscriptionQuery(networks=("tiktok",), rhythm=Rhythm.IMMEDIATE)),
        (
            "rhythm:daily for:lapses fb",
            SubscriptionQuery(networks=("meta",), rhythm=Rhythm.DAILY, topics=(Topic.LAPSES,)),
        ),
        ("daily mail daily", SubscriptionQuery(client_ids=(DAILY_MAIL,), rhythm=Rhythm.DAILY)),
    ],
)
def test_subscriptions_name_networks_and_clients_in_any_order(typed: str, query: SubscriptionQuery) -> None:
    assert parse_subscription(Words(text=typed), NAMES, CLIENTS, SUBSCRIBE) == query


@pytest.mark.behaviour("C-9")
def test_subscriptions_read_the_same_from_options() -> None:
    options = Options(values={"network": "fb", "client": "Acme", "here": "yes"})
    from_words = parse_subscription(Words(text="here acme facebook"), NAMES, CLIENTS, SUBSCRIBE)
    assert parse_subscription(options, NAMES, CLIENTS, SUBSCRIBE) == from_words


@pytest.mark.behaviour("C-10")
def test_a_client_that_is_nearly_known_is_suggested() -> None:
    said = refusal(lambda: parse_subscription(Words(text="client:Acne"), NAMES, CLIENTS, SUBSCRIBE))
    assert said.startswith("I don't know a client called “Acne”. Did you mean *Acme*?")


@pytest.mark.behaviour("C-6")
@pytest.mark.parametrize(
    ("typed", "options", "query"),
    [
        ("", {}, LapsedQuery()),
        ("all", {"account": "all"}, LapsedQuery(state=StateFilter.ALL)),
        ("mine fb", {"account": "mine", "network": "fb"}, LapsedQuery(mine=True, network="meta")),
        ("All Stars", {"account": "All Stars"}, LapsedQuery(account="All Stars")),
        ("tik tok Acme DE", {"network": "tt", "account": "Acme DE"}, LapsedQuery(network="tiktok", account="Acme DE")),
        ("client:Acme", {"client": "Acme"}, LapsedQuery(client="Acme")),
    ],
)
def test_what_to_reconnect_is_read_from_both_forms(typed: str, options: dict[str, str], query: LapsedQuery) -> None:
    assert parse_account(Words(text=typed), NAMES, RECONNECT) == query
    assert parse_account(Options(values=options), NAMES, RECONNECT) == query


@pytest.mark.behaviour("C-7")
def test_a_network_to_connect_is_read_from_both_forms() -> None:
    for form in (Words(text="Google  Ads"), Words(text="network:yt"), Options(values={"network": "youtube"})):
        assert parse_network(form, NAMES, CONNECT) == "google"
    assert parse_network(Words(text=" "), NAMES, CONNECT) is None
    assert refusal(lambda: parse_network(Words(text="tictok"), NAMES, CONNECT)).startswith(
        "I don't know a network called “tictok”. Did you mean *tiktok*?"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        Words(text="claim AB-12"),
        Words(text="  CLAIM   code:AB-12 "),
        Options(values={"subcommand": "claim", "code": "AB-12"}),
    ],
)
def test_a_claim_code_is_read_from_both_forms(arguments: Words | Options) -> None:
    assert parse_claim(arguments) == "AB-12"


def test_a_claim_without_its_code_says_so() -> None:
    assert refusal(lambda: parse_claim(Words(text="claim"))).startswith("The code is missing.")


UUIDS = st.uuids()


@pytest.mark.behaviour("C-2")
@given(
    view=st.builds(
        ListView,
        state=st.sampled_from(StateFilter),
        network=st.sampled_from([None, "tiktok", "linkedin_ads"]),
        client_id=st.one_of(st.none(), UUIDS.map(ClientId)),
        person_id=st.one_of(st.none(), UUIDS.map(PersonId)),
        search=st.one_of(st.none(), SAFE.map(lambda text: " ".join(text.split()))),
        offset=st.integers(0, 1_000_000),
    )
)
def test_a_list_keeps_its_filters_over_its_pages_or_has_no_button(view: ListView) -> None:
    action = list_action(view)
    if action is None:
        assert view.search is not None
    else:
        assert len(action.encode()) <= ACTION_LIMIT
        assert list_of(ActionRef.decode(action.encode()).arguments) == view


@pytest.mark.behaviour("P-5")
@given(arguments=st.tuples(ODD, ODD, ODD, ODD, ODD, ODD, ODD))
def test_a_forged_page_is_out_of_date_or_harmless(arguments: tuple[str, ...]) -> None:
    try:
        view = list_of(arguments)
    except OutOfDate:
        return
    assert view.offset >= 0


def test_examples_are_written_once_and_can_be_typed() -> None:
    for usage in USAGES:
        assert all(example.words.startswith(f"/{usage.name}") for example in usage.examples)
    names = network_names(NETWORKS)
    for example in LAPSED.here(NETWORKS).examples:
        by_words = parse_lapsed(Words(text=example.words.removeprefix("/lapsed")), names)
        by_name = parse_lapsed(Words(text=_quoted(example.options.removeprefix("/lapsed"))), names)
        assert (by_words.show, by_words.network, by_words.state) == (by_name.show, by_name.network, by_name.state)


@pytest.mark.behaviour("C-10")
def test_examples_name_a_network_that_is_set_up_here() -> None:
    for usage in USAGES:
        written = " ".join(f"{each.words} {each.options}" for each in (*usage.examples, *usage.hints))
        here = usage.here({"zoo", "ark"})
        told = " ".join(f"{each.words} {each.options}" for each in (*here.examples, *here.hints))
        assert told == written.replace("NETWORK", "ark")
        assert not any(slug in written for slug in ("tiktok", "linkedin", "facebook", "meta"))
        assert usage.here({}) == usage


def _quoted(options: str) -> str:
    """Quote what follows `account:`, which a platform with options takes to the end."""
    head, colon, account = options.partition("account:")
    return f'{head}{colon}"{account}"' if colon else head
