"""What `make mutation` found, a row per module of consent/; fails under 90 %.

https://mutmut.readthedocs.io: a mutant is one small change to the code; it is killed if a test fails on it.
"""

import json
import sys
from collections import Counter
from pathlib import Path

KILLED_MIN = 0.9
# How it ended: 1 and 3 are tests that failed, the others the limit on CPU time. A mutant that no test runs survives.
KILLED, TIMEOUTS = {1, 3}, {24, 36, 152, 255, -24}


def counts(mutants: Path) -> dict[str, Counter[str]]:
    """Of each module how many mutants were `killed`, ran out of `time`, `survived`, or were `unasked` as yet."""
    found: dict[str, Counter[str]] = {}
    for meta in sorted(mutants.glob("*.py.meta")):
        codes = json.loads(meta.read_text())["exit_code_by_key"].values()
        if codes:
            found[meta.name.removesuffix(".py.meta")] = Counter(
                "unasked" if c is None else "killed" if c in KILLED else "time" if c in TIMEOUTS else "survived"
                for c in codes
            )
    return found


def main(folder: str) -> int:
    found = counts(Path(folder))
    total = sum(found.values(), Counter[str]())
    print("| module | mutants | killed | out of time | survived |\n|---|---|---|---|---|")
    for name, each in [*found.items(), ("**all**", total)]:
        print(f"| {name} | {each.total()} | {each['killed']} | {each['time']} | {each['survived']} |")
    share = (total["killed"] + total["time"]) / (total.total() - total["unasked"])
    print(f"\n{share:.1%} killed, {total['unasked']} not asked yet")
    return 0 if share >= KILLED_MIN and not total["unasked"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
