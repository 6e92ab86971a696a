"""Development time: the unit definitions of the npm package `@lhncbc/ucum-lhc` → the table `definitions/ucum.json`.

https://ucum.org/ucum: a unit atom is defined by a factor and an expression of other atoms. Only those facts are kept:
no names, no guidance, no LOINC columns.

Usage: python -m profiles.build_ucum PACKAGE_FOLDER
"""

import hashlib
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "definitions" / "ucum.json"

# Offset scales: kelvin = (value + offset) x factor. Every other special unit is a logarithm, a tangent or a root.
OFFSETS = {"Cel": ("1", "273.15"), "[degF]": ("5/9", "459.67"), "[degRe]": ("5/4", "218.52")}

# The package gives the factor of these two only as a rounded float; UCUM defines them with [pi].
EXACT = {"[mu_0]": ("4", "[pi].10*-7.N/A2"), "Oe": ("250", "/[pi].A/m")}


def atom(row: dict[str, Any]) -> dict[str, Any]:
    """One unit: `factor` and `unit` (what it is defined by), `metric` (takes prefixes), `own` (a dimension of its own:
    base units, arbitrary units, and scales that are not proportional), `offset` (temperature scales)."""
    code = row["csCode_"]
    out: dict[str, Any] = {}
    if row["isMetric_"] or row["isBase_"]:
        out["metric"] = True
    if code in OFFSETS:
        factor, offset = OFFSETS[code]
        return out | {"factor": factor, "unit": "K", "offset": offset}
    if code in EXACT:
        factor, unit = EXACT[code]
        return out | {"factor": factor, "unit": unit}
    # UCUM counts the mole as a pure number; it is kept a dimension here (as in the SI), so that an amount of substance
    # is never compared with a count of cells or with a percentage.
    arbitrary = row["isArbitrary_"] and row["csUnitString_"] == "1"
    if row["isBase_"] or row["isSpecial_"] or arbitrary or code == "mol":
        return out | {"own": True}
    if row["cnv_"] == "inv":
        return out | {"factor": "1", "unit": "/" + row["csUnitString_"]}
    stated = row["baseFactorStr_"]
    value = row["baseFactor_"]
    if abs(Fraction(stated) - Fraction(value)) > abs(Fraction(value)) / 10**9:
        stated = repr(value)
    return out | {"factor": stated, "unit": row["csUnitString_"]}


def build(package: Path) -> dict[str, Any]:
    """The table as written to `definitions/ucum.json`, from the unpacked package."""
    data = (package / "data" / "ucumDefs.min.json").read_bytes()
    version = json.loads((package / "package.json").read_bytes())["version"]
    definitions = json.loads(data)
    columns = [name if isinstance(name, str) else name[0] for name in definitions["units"]["config"]]
    rows = [dict(zip(columns, row)) for row in definitions["units"]["data"]]
    prefixes = {row[0]: f"1e{row[5]}" if row[5] else str(row[4]) for row in definitions["prefixes"]["data"]}
    return {
        "source": f"@lhncbc/ucum-lhc {version}, data/ucumDefs.min.json, sha256 {hashlib.sha256(data).hexdigest()}",
        "licence": "The UCUM table and UCUM codes are copyright 1995-2009 Regenstrief Institute, Inc. and The UCUM "
        "Organization, all rights reserved; used under https://ucum.org/license. Software of the Lister Hill National "
        "Center for Biomedical Communications (U.S. National Library of Medicine), provided as is, without warranty.",
        "prefixes": prefixes,
        "units": {row["csCode_"]: atom(row) for row in rows if row["source_"] == "UCUM"},
    }


def main() -> None:
    """Write the table, one unit on a line so that a new version of the package shows as a readable difference."""
    table = build(Path(sys.argv[1]))
    units = ",\n".join(f"  {json.dumps(code)}: {json.dumps(unit)}" for code, unit in sorted(table["units"].items()))
    head = ",\n".join(f" {json.dumps(key)}: {json.dumps(table[key])}" for key in ("source", "licence", "prefixes"))
    TABLE.write_text(f'{{\n{head},\n "units": {{\n{units}\n }}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
