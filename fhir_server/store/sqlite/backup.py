"""A copy of the whole store, taken while writes go on.

https://www.sqlite.org/backup.html
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from fhir_server.store.sqlite.connection import connect, create_file


def copy(files: Sequence[Path], target: Path) -> None:
    """Copy the files, in this order, into the directory `target` (made if missing), to be opened as a store.

    Each is copied as of one moment. Raises FileExistsError if one is there already: a backup never overwrites.
    """
    for file in files:
        if (target / file.name).exists():
            raise FileExistsError(f"{target / file.name} exists already")
    finished = [(_copied(file, target), target / file.name) for file in files]
    # None has its name before all are complete: half a backup can't be opened by mistake.
    for unfinished, final in finished:
        unfinished.rename(final)
    _sync(target)


def _copied(file: Path, target: Path) -> Path:
    unfinished = create_file(target, f"{file.name}.unfinished")
    with closing(connect(file)) as source, closing(sqlite3.connect(unfinished)) as copy:
        # Until it has its name nobody relies on it: no journal, and one wait for the disk at the end.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        # All pages in one step: one read transaction, which no writer has to wait for and none can restart.
        source.backup(copy, pages=-1)
    _sync(unfinished)
    return unfinished


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
