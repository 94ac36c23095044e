"""Signatures are those of Standard Webhooks: its vector, and whatever is signed verifies and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.secret import Secret
from commands.standard_webhooks import ID, SIGNATURE, TIMESTAMP, SignatureRefused, new_secret, sign, verify

KEY = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = b'{"test": 2432232314}'
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)


@pytest.mark.behaviour("R-12")
def test_the_specifications_own_vector() -> None:
    headers = sign([KEY], id=MESSAGE, at=AT, body=BODY)
    assert headers[SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (headers[ID], headers[TIMESTAMP]) == (MESSAGE, "1614265330")


@given(body=st.binary(max_size=200), flipped=st.integers(min_value=0, max_value=199), late=st.integers(-300, 300))
def test_what_was_signed_verifies_and_a_changed_body_does_not(body: bytes, flipped: int, late: int) -> None:
    key = new_secret()
    headers = sign([key], id="msg_1", at=AT, body=body)
    assert verify([key], headers, body, now=AT + timedelta(seconds=late)).id == "msg_1"
    changed = bytearray(body or b"x")
    changed[flipped % len(changed)] ^= 1
    with pytest.raises(SignatureRefused):
        verify([key], headers, bytes(changed), now=AT)


def test_while_secrets_change_over_either_side_may_be_ahead() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    both = sign([new, old], id="msg_1", at=AT, body=BODY)
    assert len(both[SIGNATURE].split(" ")) == 2
    for known in ([old], [new], [new, old]):
        verify(known, both, BODY, now=AT)
    with pytest.raises(SignatureRefused):
        verify([other], both, BODY, now=AT)


@pytest.mark.parametrize(
    "changes",
    [
        {ID: ""},
        {ID: "msg.1"},
        {ID: "m" * 201},
        {ID: "msg_2"},
        {TIMESTAMP: "1614265330.0"},
        {TIMESTAMP: "٣"},
        {TIMESTAMP: "9" * 30},
        {TIMESTAMP: "9" * 12},
        {TIMESTAMP: "9" * 11},
        {TIMESTAMP: "1614265331"},
        {SIGNATURE: ""},
        {SIGNATURE: "v1,"},
        {SIGNATURE: "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {SIGNATURE: "v1,é"},
    ],
)
def test_headers_that_are_not_right_are_refused_in_words(changes: dict[str, str]) -> None:
    headers = {**sign([KEY], id=MESSAGE, at=AT, body=BODY), **changes}
    with pytest.raises(SignatureRefused) as refused:
        verify([KEY], headers, BODY, now=AT)
    assert KEY.reveal() not in str(refused.value)


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_message_of_another_time_is_refused(late: timedelta) -> None:
    headers = sign([KEY], id=MESSAGE, at=AT, body=BODY)
    with pytest.raises(SignatureRefused, match="minutes"):
        verify([KEY], headers, BODY, now=AT + late)
