"""Signed addresses of pictures: the chart's data stands in the address, so that any process can draw it and nothing is
stored. A platform that fetches pictures itself gets one of these.

The address is its own authority, for an hour; whoever has it has the chart's figures anyway.
"""

import base64
import binascii
import hashlib
import hmac
import json
import struct
import zlib
from datetime import UTC, datetime, timedelta

from commands.messages import Chart, Picture, Series

LIFE = timedelta(hours=1)
ADDRESS_LIMIT = 3000
"""Characters of an address that Slack takes for an image."""
MAC_BYTES = 16  # 128 bits: nobody forges one within its hour
DATA_LIMIT = 64 * 1024
"""Bytes that an address may unpack to. Ours are some thousand; a limit costs nothing."""
_HEAD = struct.Struct(">Q")


def picture_url(public_url: str, picture: Picture, *, key: bytes, now: datetime) -> str | None:
    """The address at which the pages of `public_url` draw this picture, for a time of LIFE; None: it is too long.

    `key` is a secret of ours, the same in every process.
    """
    head = _HEAD.pack(int((now + LIFE).timestamp()))
    written = json.dumps(_raw(picture), separators=(",", ":")).encode()
    if len(written) > DATA_LIMIT:
        return None
    data = zlib.compress(written, 9)
    text = base64.urlsafe_b64encode(head + _mac(key, head + data) + data).decode().rstrip("=")
    url = f"{public_url}/pictures/{text}.png"
    return url if len(url) <= ADDRESS_LIMIT else None


def read_picture(text: str, *, key: bytes, now: datetime) -> Picture | None:
    """The picture of an address' last part, without `.png`; None: it is not ours, or its time is over."""
    try:
        signed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    head, mac, data = (
        signed[: _HEAD.size],
        signed[_HEAD.size : _HEAD.size + MAC_BYTES],
        signed[_HEAD.size + MAC_BYTES :],
    )
    if not hmac.compare_digest(mac, _mac(key, head + data)):
        return None
    if datetime.fromtimestamp(_HEAD.unpack(head)[0], UTC) <= now:
        return None
    return _picture(json.loads(zlib.decompressobj().decompress(data, DATA_LIMIT)))


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, b"lapsebot picture 1\0" + signed, hashlib.sha256).digest()[:MAC_BYTES]


def _raw(picture: Picture) -> list[object]:
    charts = [
        [
            chart.title,
            list(chart.categories),
            [[series.name, list(series.values)] for series in chart.series],
            chart.value_label,
        ]
        for chart in picture.charts
    ]
    return [picture.description, charts]


def _picture(raw: list[object]) -> Picture:
    description, charts = raw
    assert isinstance(description, str) and isinstance(charts, list)  # noqa: S101, PT018 - it is signed: we wrote it
    return Picture(
        charts=tuple(
            Chart(
                title=title,
                categories=tuple(categories),
                series=tuple(Series(name=name, values=tuple(values)) for name, values in series),
                value_label=value_label,
            )
            for title, categories, series, value_label in charts
        ),
        description=description,
    )
