"""`make bench`: the targets of the design beside what is measured here, as ratios within one run.

Costs are processor time as the kernel counts it for the server, which other work on the machine disturbs little; rates
by the wall clock stand beside them. Sources are the Synthea transactions if they are at hand, else the example wijk.

Environment: WIJKDOSSIER_BENCH_CACHE, a folder that keeps the populations for the next run; WIJKDOSSIER_BENCH_MILLION=1
also searches a million resources; WIJKDOSSIER_SHARED and WIJKDOSSIER_PACKAGES as in the tests.
"""

import os
import sys
import tempfile
from pathlib import Path

from profiles import registry as definitions
from tests.performance import bench
from tests.performance.measure import FULL


def main() -> int:
    """0 when all was measured, whether or not every target is met: that is what the table says."""
    million = os.environ.get("WIJKDOSSIER_BENCH_MILLION") == "1"
    with tempfile.TemporaryDirectory(prefix="wijkdossier-bench-") as folder:
        cache = Path(os.environ.get("WIJKDOSSIER_BENCH_CACHE") or folder)
        for line in bench.run(Path(folder), cache, definitions.load(), FULL, million=million):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
