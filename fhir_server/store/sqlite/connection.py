"""How a connection to the file is opened: settings that every one of them needs.

https://www.sqlite.org/wal.html
"""

import os
import sqlite3
from pathlib import Path
from sqlite3 import Connection

FILE_NAME = "wijkdossier.sqlite3"
JOURNAL_NAME = "wijkdossier-audit.sqlite3"

BUSY_TIMEOUT_MS = 60_000
READ_CACHE_KIB = 4_000
WRITE_CACHE_KIB = 16_000
MMAP_BYTES = 64 << 20
# Pages in the write-ahead log before a commit moves them into the file: 16 MB.
CHECKPOINT_PAGES = 4_000


def create_file(directory: Path, name: str) -> Path:
    """The file in `directory`, both made if missing, for the eyes of this user only (its -wal and -shm follow it)."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / name
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    return file


def connect(file: Path, *, cache_kib: int = READ_CACHE_KIB) -> Connection:
    """A connection in autocommit mode; transactions are begun in so many words."""
    connection = sqlite3.connect(
        file, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000, cached_statements=512, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: in WAL mode every commit is on disk when it returns. https://www.sqlite.org/pragma.html#pragma_synchronous
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    connection.execute(f"PRAGMA mmap_size = {MMAP_BYTES}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
