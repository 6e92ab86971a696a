"""What is loaded is set aside from garbage collection, and nothing else is."""

import subprocess
import sys

# In a process of its own: it changes the collector for good.
PROGRAM = """
import gc, weakref
from fhir_server.collector import keep_what_is_loaded
from profiles import registry
definitions = registry.load()
keep_what_is_loaded()
assert gc.get_freeze_count() > 10_000
assert not any(found is definitions for found in gc.get_objects())
class Node: pass
cycle = Node(); cycle.itself = cycle
gone = weakref.ref(cycle)
del cycle
for _ in range(60_000): [[]]
held = [[] for _ in range(60_000)]
assert gone() is None
"""


def test_what_is_loaded_is_passed_over_and_later_cycles_are_still_collected() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
