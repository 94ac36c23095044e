"""Email against a real mail server: what arrives, what its refusals mean, and what the operator may set."""

from dataclasses import replace
from datetime import UTC, datetime
from email.headerregistry import Address as Mailbox
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.errors import DeliveryError, DeliveryErrorKind, SettingError
from commands.ids import DeliveryId, new_id
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    Facts,
    Heading,
    LinkButton,
    Mark,
    Message,
    Moment,
    Row,
    Rows,
    Style,
    line,
    say,
    text,
)
from commands.ports.chat import Check, MessageRef
from commands.secret import Secret
from platform_adapters.chat.email.adapter import EmailPlatform
from platform_adapters.chat.email.render import Renderer, without_presses
from platform_adapters.chat.email.settings import read_settings
from tests.email_adapter.server import mail_server, platform, surroundings, to

ANA = "ana@agency.example"
LINK = "https://bot.example/p/0000000000000000000001"
STOP = "https://bot.example/unsubscribe/0000000000000000000002"


def notice(name: str = "Acme EU Ads", *, opted_in: bool = False) -> Message:
    return Message(
        (
            Heading(line(f"{Mark.LAPSED} Lapsed: ", Bold(f"Facebook · {name}"), " · client Acme")),
            text("Access was removed at ", Moment(datetime(2026, 11, 22, 14, tzinfo=UTC)), "."),
            Facts((("Business", line(name)),)),
            Rows((Row(Mark.LAPSED, line(name), line("since Monday"), LinkButton("Reconnect", LINK)),), more=2),
            Buttons((LinkButton("Reconnect", LINK, Style.PRIMARY), Button("I'm on it", ActionRef("claim")))),
        ),
        subject="Immediate action required: please reconnect your account(s)",
        unsubscribe_url=STOP if opted_in else "",
    )


def delivery() -> DeliveryId:
    return DeliveryId(new_id(datetime.now(UTC)))


@pytest.mark.behaviour("N-14")
async def test_a_notice_arrives_as_plain_text_and_html_with_its_link_in_both() -> None:
    async with mail_server() as (server, environment):
        ref = await platform(environment).post(to(ANA), notice(), delivery())
    (email,) = server.taken
    assert email["Subject"] == "Immediate action required: please reconnect your account(s)"
    assert (email["To"], email["From"]) == (ANA, "lapsebot <lapsebot@bot.example>")
    assert email["Message-ID"] == ref.message
    plain, html = email.get_body(("plain",)), email.get_body(("html",))
    assert plain is not None
    assert html is not None
    for body in (plain.get_content(), html.get_content()):
        assert LINK in body
        assert "Facebook · Acme EU Ads" in body
        assert "Sun 22 Nov 14:00 UTC" in body
        assert "and 2 more" in body
        assert "I'm on it" not in body  # a press could not come back


@pytest.mark.behaviour("N-14")
async def test_an_opt_in_can_be_ended_with_one_click_and_other_mail_offers_no_such_thing() -> None:
    async with mail_server() as (server, environment):
        await platform(environment).post(to(ANA), notice(opted_in=True), delivery())
        await platform(environment).post(to(ANA), notice(), delivery())
    asked, own = server.taken
    assert asked["List-Unsubscribe"] == f"<{STOP}>"
    assert asked["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in own
    assert "Unsubscribe" not in own.as_string()


async def test_a_message_that_is_sent_again_has_the_same_id_and_one_that_follows_names_the_first() -> None:
    one = delivery()
    async with mail_server() as (server, environment):
        mail = platform(environment)
        first = await mail.post(to(ANA), notice(), one)
        await mail.post(to(ANA), notice(), one)
        await mail.post(to(ANA), notice(), delivery(), under=first)
    ids = [email["Message-ID"] for email in server.taken]
    assert ids[0] == ids[1] != ids[2]
    assert server.taken[2]["In-Reply-To"] == ids[0]


async def test_a_server_that_wants_a_sign_in_gets_one_and_a_wrong_password_is_a_dead_installation() -> None:
    async with mail_server(wants_sign_in=True) as (server, environment):
        settings = read_settings(environment)
        assert settings is not None
        for password in ("", "wrong", "correct horse"):
            named = replace(settings, username="lapsebot" if password else "", password=Secret(password))
            mail = EmailPlatform(named, surroundings())
            if password == "correct horse":
                await mail.post(to(ANA), say("x"), delivery())
                continue
            with pytest.raises(DeliveryError) as refused:
                await mail.post(to(ANA), say("x"), delivery())
            assert refused.value.kind is DeliveryErrorKind.INSTALLATION_DEAD
            assert "wrong" not in str(refused.value)
    assert len(server.taken) == 1


async def test_nothing_is_sent_where_the_way_should_be_protected_and_is_not() -> None:
    async with mail_server() as (server, environment):
        with pytest.raises(DeliveryError) as open_way:
            await platform({**environment, "LAPSEBOT_EMAIL_SECURITY": "starttls"}).post(to(ANA), say("x"), delivery())
    assert open_way.value.kind is DeliveryErrorKind.RETRY
    assert server.taken == []


@pytest.mark.parametrize(
    ("recipient", "data", "kind", "code"),
    [
        ("550 5.1.1 no such mailbox", "250 OK", DeliveryErrorKind.ADDRESS_GONE, "smtp_550"),
        ("450 4.2.1 try later", "250 OK", DeliveryErrorKind.RETRY, "smtp_450"),
        ("250 OK", "554 5.7.1 looks like spam", DeliveryErrorKind.REJECTED, "smtp_554"),
        ("250 OK", "451 4.3.0 try later", DeliveryErrorKind.RETRY, "smtp_451"),
    ],
)
async def test_a_server_s_refusal_is_told_apart(recipient: str, data: str, kind: DeliveryErrorKind, code: str) -> None:
    async with mail_server() as (server, environment):
        server.recipient_answer, server.data_answer = recipient, data
        with pytest.raises(DeliveryError) as refused:
            await platform(environment).post(to(ANA), notice(), delivery())
    assert (refused.value.kind, refused.value.code) == (kind, code)
    assert server.taken == []


async def test_a_connection_that_is_cut_when_a_message_was_handed_over_leaves_its_fate_unknown() -> None:
    async with mail_server() as (server, environment):
        server.hangs_up = True
        with pytest.raises(DeliveryError) as lost:
            await platform(environment).post(to(ANA), notice(), delivery())
    assert lost.value.kind is DeliveryErrorKind.UNKNOWN


async def test_a_server_that_is_not_there_is_tried_again_and_doctor_says_what_to_check() -> None:
    async with mail_server() as (_, environment):
        good = await platform(environment).diagnose()
    with pytest.raises(DeliveryError) as away:
        await platform(environment).post(to(ANA), notice(), delivery())
    (bad,) = await platform(environment).diagnose()
    assert away.value.kind is DeliveryErrorKind.RETRY
    assert [line.check for line in good] == [Check.GOOD]
    assert bad.check is Check.BAD
    assert "LAPSEBOT_EMAIL_HOST" in bad.mend


@pytest.mark.parametrize(
    "address", ["", "ana", "ana@", "@agency.example", "a@b@c", "ana@agency.example\r\nBcc: x@y.example"]
)
async def test_what_is_no_address_is_gone_and_goes_nowhere(address: str) -> None:
    async with mail_server() as (server, environment):
        with pytest.raises(DeliveryError) as refused:
            await platform(environment).post(to(address), notice(), delivery())
    assert refused.value.kind is DeliveryErrorKind.ADDRESS_GONE
    assert server.taken == []


async def test_a_sent_email_is_never_changed() -> None:
    async with mail_server() as (_, environment):
        mail = platform(environment)
        assert not mail.edits
        with pytest.raises(DeliveryError):
            await mail.update(MessageRef(platform="email", tenant="", destination=ANA, message="<x@y>"), notice())


class _Tags(HTMLParser):
    """The tags and link targets of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value for name, value in attrs if name == "href"]


def tags_of(message: Message) -> _Tags:
    parser = _Tags()
    parser.feed(renderer().html(without_presses(message)))
    return parser


def renderer() -> Renderer:
    given = surroundings()
    return Renderer(sender=Mailbox(addr_spec="lapsebot@bot.example"), public_url=given.public_url, clock=given.clock)


NAMES = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        ["<script>alert(1)</script>", "a\r\nBcc: x@y.example", "\u202etxet", "a\ud800b", '"><a href=x>', "\x00"]
    ),
)


@settings(deadline=None)
@given(name=NAMES)
def test_an_account_s_name_adds_no_tag_no_link_and_no_header_whatever_it_is(name: str) -> None:
    plain, hostile = tags_of(notice()), tags_of(notice(name))
    assert (hostile.tags, hostile.targets) == (plain.tags, plain.targets)
    message = Message((Heading(line(name)),))
    email = renderer().render(message, to=Mailbox(addr_spec=ANA), message_id="<a@b.example>", reply_to_id=None)
    email.as_bytes()
    assert email["Bcc"] is None
    assert "\u202e" not in str(email.get_body(("plain",)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAPSEBOT_EMAIL_PORT", "smtp"),
        ("LAPSEBOT_EMAIL_PORT", "70000"),
        ("LAPSEBOT_EMAIL_SECURITY", "ssl"),
        ("LAPSEBOT_EMAIL_FROM", ""),
        ("LAPSEBOT_EMAIL_FROM", "lapsebot"),
        ("LAPSEBOT_EMAIL_USERNAME", "lapsebot"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(name: str, value: str) -> None:
    environment = {
        "LAPSEBOT_EMAIL_HOST": "mail.example",
        "LAPSEBOT_EMAIL_FROM": "lapsebot <l@bot.example>",
        name: value,
    }
    with pytest.raises(SettingError) as wrong:
        read_settings(environment)
    assert wrong.value.name.startswith("LAPSEBOT_EMAIL_")


def test_a_password_is_not_sent_over_an_open_way_and_without_a_host_email_is_off() -> None:
    with pytest.raises(SettingError, match="SECURITY"):
        read_settings(
            {
                "LAPSEBOT_EMAIL_HOST": "mail.example",
                "LAPSEBOT_EMAIL_FROM": "l@bot.example",
                "LAPSEBOT_EMAIL_SECURITY": "none",
                "LAPSEBOT_EMAIL_USERNAME": "lapsebot",
                "LAPSEBOT_EMAIL_PASSWORD": "correct horse",
            }
        )
    assert read_settings({}) is None
