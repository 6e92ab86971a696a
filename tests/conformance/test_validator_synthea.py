"""The Synthea transactions validate without an error: realistic records of whole lives, from a generator.

https://github.com/synthetichealth/synthea
"""

import gzip
from pathlib import Path

import pytest

from profiles import json
from profiles.registry import load
from profiles.validate import iter_issues

PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_synthea_transactions_have_no_errors(shared_data: Path, part: int) -> None:
    files = sorted((shared_data / "synthea").glob("*.json.gz"))
    assert len(files) >= 100
    for file in files[part::PARTS]:
        bundle = json.parse(gzip.decompress(file.read_bytes()))
        assert [i for i in iter_issues(bundle, load(), type="Bundle") if i.severity == "error"] == [], file.name
