"""The garbage collector of a process that loads its definitions once and then makes garbage that is rarely cyclic.

https://docs.python.org/3/library/gc.html#gc.freeze
"""

import gc

# Allocations between collections of the young. A request makes a few thousand objects, most of which reference counting
# has freed by then; the transactions of an import hold on to tens of thousands until they are stored, and to look
# through those again and again takes a tenth of its time.
YOUNG_MAX = 50_000


def keep_what_is_loaded() -> None:
    """Never again look through what exists now (definitions, compiled rules), and collect the rest less often.

    Call it when everything that lives as long as the process has been made. Cycles are still collected.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, 20, 20)
