"""Writers of one file take turns."""

import threading
import time
from itertools import groupby
from pathlib import Path

from fhir_server.store.sqlite.turnstile import Turnstile

TURNS = 60


def test_one_at_a_time_and_nobody_twice_while_another_waits(tmp_path: Path) -> None:
    """Each asks again the moment it is done, and must find the other one served before it."""
    order: list[str] = []
    inside: list[str] = []
    together: list[str] = []
    start = threading.Barrier(2)

    def write(name: str) -> None:
        turnstile = Turnstile(tmp_path / "data")
        start.wait()
        for _ in range(TURNS):
            with turnstile:
                inside.append(name)
                together.append("".join(inside))
                order.append(name)
                # Long enough for the other one to have come to the queue.
                time.sleep(0.002)
                inside.remove(name)
        turnstile.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(together) == {"a", "b"}, "two at once"
    runs = [len(list(run)) for _, run in groupby(order)]
    assert len(runs) > TURNS, f"longest run {max(runs)}"
