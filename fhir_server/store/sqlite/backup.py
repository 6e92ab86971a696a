"""A copy of the whole file at one moment, taken while writes go on.

https://www.sqlite.org/backup.html
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from fhir_server.store.sqlite.connection import connect, create_file


def copy(file: Path, target: Path) -> None:
    """Copy into the directory `target` (made if missing), which can then be opened as a store.

    Raises FileExistsError if `target` has a store in it already: a backup never overwrites.
    """
    finished = target / file.name
    if finished.exists():
        raise FileExistsError(f"{finished} exists already")
    unfinished = create_file(target, f"{file.name}.unfinished")
    with closing(connect(file)) as source, closing(sqlite3.connect(unfinished)) as copied:
        # Until it has its name nobody relies on it: no journal, and one wait for the disk at the end.
        copied.execute("PRAGMA journal_mode = OFF")
        copied.execute("PRAGMA synchronous = OFF")
        # All pages in one step: one read transaction, which no writer has to wait for and none can restart.
        source.backup(copied, pages=-1)
    _sync(unfinished)
    unfinished.rename(finished)
    _sync(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
