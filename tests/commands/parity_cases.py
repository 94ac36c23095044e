"""What `test_parity` asks: for each command a line of words and the same as options, for each button and form a press.

`test_every_entry_of_the_catalogue_has_a_case` says what is missing.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from commands import actions
from commands.actions import ListView, list_action, reconnect_list_action
from commands.ids import DrillId, PassId, SubscriptionId
from commands.messages import ActionRef
from tests.commands.world import World

Case = tuple[str, str, dict[str, str]]
"""A command, what is typed after it, and the same as options."""

DRILL = DrillId(UUID(int=99))
PERSONAL_LINK = PassId(UUID(int=97))
CHANNEL_SUBSCRIPTION = SubscriptionId(UUID(int=98))


def _lapsed(words: str, /, **options: str) -> Case:
    return ("lapsed", words, options)


def _admin(subcommand: str, typed: str = "", /, **options: str) -> Case:
    return ("lapse-admin", f"{subcommand} {typed}".strip(), {"subcommand": subcommand, **options})


_ADMIN_CASES: Sequence[Case] = (
    _admin("claim", "CODE", code="CODE"),
    _admin("owners"),
    _admin("send-link", "Olga Berg", person="Olga Berg"),
    _admin("links"),
    _admin("transfer", "Acme DE to Ana Ruiz", account="Acme DE", person="Ana Ruiz"),
    _admin("transfer", "client:Acme to Ana Ruiz", client="Acme", person="Ana Ruiz"),
    _admin("add-owner", "Cara Cato cara@example.com", name="Cara Cato", email="cara@example.com"),
    _admin("role", "Sam Lee staff", person="Sam Lee", role="staff"),
    _admin("role", "Sam Lee administrator", person="Sam Lee", role="administrator"),
    _admin("role", "Sam Lee owner", person="Sam Lee", role="owner"),
    _admin("role", "Raj Patel primary_administrator", person="Raj Patel", role="primary_administrator"),
    _admin("clients", "Raj Patel to Acme, Brio", person="Raj Patel", clients="Acme, Brio"),
    _admin("copies", "Ada King off", person="Ada King", copies="off"),
    _admin("copies", "Ada King on", person="Ada King", copies="on"),
    _admin("retire", "Old Promo", account="Old Promo"),
    _admin("assign", "Acme DE to Ana Ruiz", account="Acme DE", person="Ana Ruiz"),
    _admin("channels"),
    _admin("workspace", "Acme, Brio", clients="Acme, Brio"),
    _admin("grouping", "tiktok summary", network="tiktok", grouping="summary"),
    _admin("grouping", "tiktok each", network="tiktok", grouping="each"),
    _admin("grouping", "tiktok default", network="tiktok", grouping="default"),
    _admin("reminders", "tiktok 2,7,12 restart 20", network="tiktok", days="2,7,12", restart="20"),
    _admin("warnings", "tiktok 14,7,3,1", network="tiktok", days="14,7,3,1"),
    _admin("hours", "mon-fri 9-18 Europe/Madrid", hours="mon-fri 9-18", zone="Europe/Madrid"),
    _admin("settings"),
    _admin("people"),
    _admin("people", "Ana Ruiz", person="Ana Ruiz"),
    _admin("leaves", "Ana Ruiz to Raj Patel", person="Ana Ruiz", deputy="Raj Patel"),
    _admin("link", "Olga Berg", person="Olga Berg"),
    _admin("unlink", "Olga Berg", person="Olga Berg"),
    _admin("audit", "transferred", words="transferred"),
    _admin("audit", "person:Ana", person="Ana"),
    _admin("drill", "Acme", client="Acme"),
)

CASES: Sequence[Case] = (
    _lapsed(""),
    _lapsed("list", show="list"),
    _lapsed("tiktok", network="tiktok"),
    _lapsed("mine", mine="yes"),
    _lapsed("client:Acme lapsed", client="Acme", state="lapsed"),
    _lapsed("expiring", state="expiring"),
    _lapsed("active tt", state="active", network="tt"),
    _lapsed("unconnected", state="unconnected"),
    _lapsed("retired", state="retired"),
    _lapsed("all", state="all"),
    _lapsed("@U-olga", person="@U-olga"),
    _lapsed("account:Page", account="Page"),
    _lapsed("tictok", account="tictok"),
    _lapsed("who Acme DE", show="who", account="Acme DE"),
    _lapsed("history Acme DE", show="history", account="Acme DE"),
    _lapsed("stats tiktok client:Acme", show="stats", network="tiktok", client="Acme"),
    _lapsed("mine stats", show="stats", mine="yes"),
    _lapsed("upcoming", show="upcoming"),
    _lapsed("upcoming linkedin client:Acme", show="upcoming", network="linkedin", client="Acme"),
    _lapsed("mine upcoming", show="upcoming", mine="yes"),
    _lapsed("who-can Old Promo", show="who-can", account="Old Promo"),
    _lapsed("check Brio Live", show="check", account="Brio Live"),
    _lapsed("why linkedin", show="why", network="linkedin"),
    _lapsed("help", show="help"),
    ("reconnect", "", {}),
    ("reconnect", "all", {"account": "all"}),
    ("reconnect", "Brio Shop", {"account": "Brio Shop"}),
    ("reconnect", "tiktok client:Brio", {"network": "tiktok", "client": "Brio"}),
    ("connect", "tiktok", {"network": "tiktok"}),
    ("connect", "tictok", {"network": "tictok"}),
    ("subscribe-lapses", "tiktok client:Acme", {"network": "tiktok", "client": "Acme"}),
    ("subscribe-lapses", "all here", {"network": "all", "here": "yes"}),
    ("subscribe-lapses", "immediate linkedin", {"rhythm": "immediate", "network": "linkedin"}),
    ("subscribe-lapses", "daily for warnings", {"rhythm": "daily", "for": "warnings"}),
    ("subscribe-lapses", "weekly for lapses", {"rhythm": "weekly", "for": "lapses"}),
    ("subscribe-lapses", "list", {"list": "yes"}),
    ("unsubscribe-lapses", "tiktok client:Acme", {"network": "tiktok", "client": "Acme"}),
    ("unsubscribe-lapses", "everything", {"everything": "yes"}),
    ("unsubscribe-lapses", "here list", {"here": "yes", "list": "yes"}),
    *_ADMIN_CASES,
)

MISTYPED = "tictok"
"""Stands in cases that no parser takes."""


def _row(name: str) -> Callable[[World], ActionRef]:
    return lambda world: ActionRef(name, actions.details_action(world.connections["Acme DE"]).arguments)


def _of_lapse(name: str, *more: str) -> Callable[[World], ActionRef]:
    return lambda world: ActionRef(name, (*actions.claim_action(world.lapses["Acme DE"]).arguments, *more))


def _of_person(name: str) -> Callable[[World], ActionRef]:
    return lambda world: ActionRef(name, actions.copy_link_action(world.people["olga"].id).arguments)


def _list(make: Callable[[ListView], ActionRef | None]) -> Callable[[World], ActionRef]:
    def press(world: World) -> ActionRef:
        action = make(ListView(client_id=world.clients["Acme"]))
        assert action is not None
        return action

    return press


def _owners(_: World) -> ActionRef:
    action = actions.admin_list_action("owners", 0)
    assert action is not None
    return action


PRESSES: dict[str, Callable[[World], ActionRef]] = {
    actions.RECONNECT: _row(actions.RECONNECT),
    actions.CLAIM: _of_lapse(actions.CLAIM),
    actions.RELEASE: _of_lapse(actions.RELEASE),
    actions.DETAILS: _row(actions.DETAILS),
    actions.CHECK: _row(actions.CHECK),
    actions.NUDGE: _of_lapse(actions.NUDGE),
    actions.HISTORY: _row(actions.HISTORY),
    actions.HISTORY_PAGE: lambda world: actions.history_page_action(world.connections["Acme DE"], 10),
    actions.WHO_CAN: _row(actions.WHO_CAN),
    actions.RETIRE: _row(actions.RETIRE),
    actions.RETIRE_CONFIRMED: _row(actions.RETIRE_CONFIRMED),
    actions.ACCEPT_MOVE: _row(actions.ACCEPT_MOVE),
    actions.ACCEPT_MOVE_CONFIRMED: lambda world: actions.accept_move_confirmed_action(
        world.connections["Acme DE"], "8002"
    ),
    actions.ASK: lambda world: actions.ask_action(world.lapses["Acme DE"], world.people["raj"].id),
    actions.SNOOZE: _of_lapse(actions.SNOOZE, "3"),
    actions.SNOOZE_CHOICE: _of_lapse(actions.SNOOZE_CHOICE),
    actions.NOT_MINE: _of_lapse(actions.NOT_MINE),
    actions.NOTE: _of_lapse(actions.NOTE),
    actions.ASSIGN: _of_lapse(actions.ASSIGN),
    actions.COPY_LINK: _of_person(actions.COPY_LINK),
    actions.SEND_LINK: _of_person(actions.SEND_LINK),
    actions.WITHDRAW_LINK: lambda _: actions.withdraw_link_action(PERSONAL_LINK),
    actions.ROLE: lambda world: actions.role_action(world.people["olga"].id),
    actions.CALENDAR: lambda _: actions.calendar_action(),
    actions.ADD_OWNER: lambda _: ActionRef(actions.ADD_OWNER),
    actions.END_CHANNEL: lambda _: actions.end_channel_action(CHANNEL_SUBSCRIPTION),
    actions.DRILL_ANSWER: lambda _: actions.drill_answer_action(DRILL),
    actions.ADMIN_LIST: _owners,
    actions.LIST: _list(list_action),
    actions.RECONNECT_LIST: _list(reconnect_list_action),
    actions.SUBSCRIBE: lambda world: actions.subscribe_action("tiktok", world.clients["Acme"]),
    actions.FEEDBACK: lambda _: actions.feedback_action("help", helped=True),
    actions.SUBSCRIBE_FORM: lambda _: actions.subscribe_form_action(),
    actions.RHYTHM_FORM: lambda _: actions.rhythm_form_action(),
}

FILLED_IN: dict[str, Sequence[dict[str, tuple[str, ...]]]] = {
    actions.SUBSCRIBE_FORM: (
        {"network": ("tiktok",), "client": ("Acme",), "where": ("here",), "rhythm": ("immediate",)},
        {"network": ("tiktok",), "client": ("nobody",)},
    ),
    actions.RHYTHM_FORM: (
        {"topic": ("warnings",), "network": ("all",), "client": ("all",), "rhythm": ("weekly",)},
        {"rhythm": ("hourly",)},
    ),
    actions.NOTE: ({"note": ("Waiting for the client.",)}, {"note": ()}),
    actions.ASSIGN: ({"person": ("@U-ana",)}, {"person": ("@U-nobody",)}),
    actions.ROLE: ({"role": ("staff",), "clients": ("all",), "copies": ("off",)}, {"role": ("king",)}),
    actions.ADD_OWNER: ({"name": ("Cara",), "email": ("cara@example.com",)}, {"name": ("Cara",), "email": ("cara",)}),
}
"""What is sent off with each form; the second of each is wrong."""
