"""What is remembered: SQLite and PostgreSQL behind one face.

`upgrade(url)` brings the schema up, `open_storage(url, keyring)` opens the store, `rekey(url, keyring)` moves every
encrypted value to the primary key.
"""

from storage.clock import DatabaseClock, SystemClock
from storage.migrations import upgrade
from storage.rekey import Rekeyed, rekey
from storage.secrets import Keyring, secret_hash
from storage.store import SqlStorage, open_storage

__all__ = [
    "DatabaseClock",
    "Keyring",
    "Rekeyed",
    "SqlStorage",
    "SystemClock",
    "open_storage",
    "rekey",
    "secret_hash",
    "upgrade",
]
