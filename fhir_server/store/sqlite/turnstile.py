"""Whose turn it is to write, among the processes that have a file open.

SQLite lets the one who comes in the right moment write, and the others sleep and try again, up to a tenth of a second
each time: fair to nobody. Here a writer waits for its turn in the kernel. Whoever has just written finds the next one
holding the queue and stands behind it. https://www.sqlite.org/c3ref/busy_timeout.html

SQLite's own lock stays the one that protects the data; where flock does nothing, only fairness is lost.
"""

import fcntl
import os
from pathlib import Path


class Turnstile:
    """A context manager around a write transaction. One for each writer; lock files lie beside `file`."""

    def __init__(self, file: Path) -> None:
        self._queue, self._turn = (
            os.open(file.with_name(f"{file.name}-{name}"), os.O_CREAT | os.O_RDWR, 0o600) for name in ("queue", "turn")
        )

    def __enter__(self) -> None:
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        fcntl.flock(self._queue, fcntl.LOCK_UN)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._queue)
        os.close(self._turn)
