"""The settings of the process: one typed, frozen object, from the environment and a .env file.

Nothing is read at import.

Chat platforms and networks own their settings and parse them from the same mapping (see their folders).
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from commands.errors import SettingError

PREFIX = "LAPSEBOT_"


class Part(StrEnum):
    """What a process does; several can be split over several processes."""

    WEB = "web"
    CHAT = "chat"
    WORKER = "worker"


class Settings(BaseModel):
    """Each field is the environment variable LAPSEBOT_<FIELD>. Durations are in seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    data_dir: Path = Path(".lapsebot")
    """Where the embedded database and its key live."""
    database_url: str = Field(default="", repr=False)
    """Empty: SQLite in `data_dir`. Else `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`."""
    encryption_keys: str = Field(default="", repr=False)
    """`ID:BASE64` pairs, the first for writing. Empty: a key file in `data_dir`, made on first start."""
    public_url: str = "http://127.0.0.1:8080"
    """Where people's browsers reach our pages. HTTPS, except on this machine."""
    pictures: str = Field(default="auto", pattern="^(auto|on|off)$")
    """Whether charts are shown to chats that fetch pictures from us; "auto": if `public_url` begins with https."""
    listen_host: str = "127.0.0.1"
    listen_port: int = Field(default=8080, ge=0, le=65535)
    log_format: str = Field(default="text", pattern="^(text|json)$")
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    time_zone: str = "UTC"
    """For people whose own zone is unknown, in organizations made from now on."""

    check_tick: float = Field(default=5, gt=0)
    """How often the watch looks for what is due."""
    notice_tick: float = Field(default=0.5, gt=0)
    """How often the planner and the deliveries look for work."""
    gather: float = Field(default=1, ge=0)
    """How long the lapses of one authorization gather before they are told."""
    calendar_tick: float = Field(default=15, gt=0)
    """How often what a calendar says is looked for: reminders, digests, warnings, claims that are over, drills."""
    profile_age: float = Field(default=86400, gt=0)
    """How old what is known of a chat account may be before the platform is asked again."""
    recheck: float = Field(default=300, gt=0)
    unclear_failures: int = Field(default=3, ge=1)
    unclear_period: float = Field(default=900, ge=0)
    flapping: float = Field(default=900, ge=0)
    outage_authorizations: int = Field(default=5, ge=1)
    outage_share: float = Field(default=0.6, gt=0, le=1)
    outage_period: float = Field(default=600, gt=0)
    outage_longest: float = Field(default=86_400, gt=0)
    outage_calm: float = Field(default=600, ge=0)
    webhook_private: bool = False
    """Whether webhooks may be sent to this machine and to private networks, also by plain HTTP."""

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address like https://lapsebot.example.com")
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("must begin with https://, except for an address of this machine")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            raise ValueError("must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("must be a time zone like Europe/Berlin") from error
        return value

    @property
    def storage_url(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'lapsebot.sqlite'}"

    @property
    def key_file(self) -> Path:
        """Where the embedded key is kept."""
        return self.data_dir / "encryption.key"

    @property
    def serves_pictures(self) -> bool:
        """Whether chat platforms can fetch pictures from our pages."""
        return self.pictures == "on" or (self.pictures == "auto" and self.public_url.startswith("https://"))

    @property
    def gathering(self) -> timedelta:
        """`gather`, as a duration."""
        return timedelta(seconds=self.gather)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Take the LAPSEBOT_ variables of a mapping. Raises SettingError with the name of the first that is wrong."""
        values = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX) and value != ""
        }
        try:
            return cls.model_validate({name: value for name, value in values.items() if name in cls.model_fields})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = PREFIX + str(first["loc"][0]).upper()
            raise SettingError(name, _must_be(first["type"], first["msg"], first.get("ctx", {}))) from None


def _must_be(kind: str, message: str, limits: Mapping[str, object]) -> str:
    """What pydantic found wrong, in an operator's words."""
    match kind:
        case "int_parsing" | "int_from_float":
            return "must be a whole number"
        case "float_parsing":
            return "must be a number"
        case "bool_parsing":
            return "must be true or false"
        case "string_pattern_mismatch":
            return f"must be one of {str(limits['pattern']).strip('^()$').replace('|', ', ')}"
        case _:
            return message.removeprefix("Value error, ").replace("Input should be", "must be")


def environment_with_file(file: Path = Path(".env")) -> Mapping[str, str]:
    """The process's environment over what the .env file says; the file may be absent."""
    stored = {name: value for name, value in dotenv_values(file).items() if value is not None}
    return {**stored, **os.environ}
