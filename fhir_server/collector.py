"""The garbage collector of a process that loads its definitions once and then makes garbage that is rarely cyclic.

https://docs.python.org/3/library/gc.html#gc.freeze
"""

import gc

# Allocations between collections of the young: a request or an imported resource makes a few thousand objects, most of
# which reference counting has freed by then.
YOUNG_MAX = 10_000


def keep_what_is_loaded() -> None:
    """Never again look through what exists now (definitions, compiled rules), and collect the rest less often.

    Call it when everything that lives as long as the process has been made. Cycles are still collected.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, 20, 20)
