"""Keys of ours: tokens encrypted and bound to their row, locators derived, secrets hashed.

An encrypted value reads `v1.KEY.NONCE.CIPHERTEXT`: AES-256-GCM with the organization, table, row and column as
associated data, so that a value moved to another row cannot be read there. Several keys may be configured; the first
encrypts.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from commands.ids import to_wire
from commands.ports.storage import StorageError, Unreadable
from commands.secret import Secret

_VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12  # what GCM is defined for; random ones are safe for 2^32 messages under one key
_KEY_ID = re.compile(r"[a-z0-9]{1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where an encrypted value lives: it can be read there only."""

    organization_id: UUID
    table: str
    row: UUID
    column: str

    def associated_data(self) -> bytes:
        """What the ciphertext is bound to."""
        return f"{_VERSION}|{self.organization_id}|{self.table}|{self.row}|{self.column}".encode()


def secret_hash(secret: str) -> bytes:
    """SHA-256, for secrets of at least 112 random bits: cookies, states, codes, locators."""
    return hashlib.sha256(secret.encode()).digest()


class Keyring:
    """The configured keys. The first one given encrypts; all of them decrypt."""

    def __init__(self, keys: Mapping[str, Secret]) -> None:
        """Take keys by id, each the URL-safe base64 of 32 bytes. Raises StorageError with a reason, without a key."""
        if not keys:
            raise StorageError("no encryption key is configured")
        self._keys = {key_id: _key_bytes(key_id, text) for key_id, text in keys.items()}
        self._ciphers = {key_id: AESGCM(key) for key_id, key in self._keys.items()}
        self._locator_keys = {key_id: _derived(key, b"lapsebot locator") for key_id, key in self._keys.items()}
        self.primary = next(iter(self._keys))
        self.picture_key = _derived(self._keys[self.primary], b"lapsebot picture")
        """Signs the addresses of pictures, which live for an hour: one made before a rotation is lost with it."""
        """The id of the key that encrypts."""

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    @classmethod
    def from_settings(cls, text: Secret) -> "Keyring":
        """Read `ID:KEY` pairs, divided by commas or white space, the primary one first."""
        keys: dict[str, Secret] = {}
        for pair in re.split(r"[\s,]+", text.reveal().strip()):
            key_id, colon, key = pair.partition(":")
            if not colon:
                raise StorageError("encryption keys are written ID:KEY, divided by commas, the primary one first")
            if key_id in keys:
                raise StorageError(f"the encryption key {key_id!r} is given twice")
            keys[key_id] = Secret(key)
        return cls(keys)

    @classmethod
    def load_or_create(cls, path: Path) -> "Keyring":
        """Read the key file, or make one that only its owner can read. Refuses a file that others can read."""
        if not path.exists():
            _create(path)
        try:
            with path.open(encoding="ascii") as file:
                status = os.fstat(file.fileno())
                text = file.read(10_000)
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"the key file {path} cannot be read") from error
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise StorageError(f"the key file {path} can be read by others; run: chmod 600 {path}")
        return cls.from_settings(Secret(text))

    @staticmethod
    def new_key(key_id: str) -> Secret:
        """Make a key, as `ID:KEY`."""
        return Secret(f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}")

    def encrypt(self, secret: Secret, cell: Cell) -> str:
        """Encrypt for one place, with the primary key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        ciphertext = self._ciphers[self.primary].encrypt(nonce, secret.reveal().encode(), cell.associated_data())
        return ".".join((_VERSION, self.primary, _encode(nonce), _encode(ciphertext)))

    def decrypt(self, value: str, cell: Cell) -> Secret:
        """Decrypt what was encrypted for this place. Raises Unreadable."""
        parts = value.split(".")
        if len(parts) != 4 or parts[0] != _VERSION:
            raise Unreadable(f"a value in {cell.table}.{cell.column} is not one that we encrypted")
        _, key_id, nonce, ciphertext = parts
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Unreadable(f"a value in {cell.table}.{cell.column} needs the key {key_id!r}; it is not configured")
        try:
            return Secret(cipher.decrypt(_decode(nonce), _decode(ciphertext), cell.associated_data()).decode())
        except (InvalidTag, ValueError) as error:
            raise Unreadable(f"a value in {cell.table}.{cell.column} is damaged or was moved from elsewhere") from error

    @property
    def current_prefix(self) -> str:
        """How values of the primary key begin."""
        return f"{_VERSION}.{self.primary}."

    def locator(self, link_id: UUID, key_id: str) -> str | None:
        """The 22 characters of a link's address: 128 bits, not to be guessed from its id. None if the key is gone."""
        key = self._locator_keys.get(key_id)
        if key is None:
            return None
        return to_wire(UUID(bytes=hmac.digest(key, link_id.bytes, "sha256")[:16]))


def _create(path: Path) -> None:
    """Write a key file so that nobody can ever see it half-written, or with other people's rights."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{Keyring.new_key('k1').reveal()}\n")
                file.flush()
                os.fsync(file.fileno())
            # A hard link fails where a rename would replace: of two processes that start at once, one key wins.
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        return
    except OSError as error:
        raise StorageError(f"the key file {path} cannot be made: {error.strerror}") from error


def _key_bytes(key_id: str, text: Secret) -> bytes:
    if not _KEY_ID.fullmatch(key_id):
        raise StorageError("an encryption key's id is 1 to 16 small letters and digits")
    try:
        key = base64.b64decode(text.reveal(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise StorageError(f"the encryption key {key_id!r} is not the URL-safe base64 of {_KEY_BYTES} bytes")
    if len(set(key)) < 8:
        raise StorageError(f"the encryption key {key_id!r} is a placeholder; make one at random")
    return key


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(key)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
