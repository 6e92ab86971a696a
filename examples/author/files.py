"""Which example file holds what, in the order in which they load: nothing points forward to a later file.

https://hl7.org/fhir/R4/bundle.html
"""

from examples.author import directory, knowledge, wijkcontract
from examples.author.bundle import encode, transaction
from examples.author.elements import Json
from examples.author.residents import (
    resident_01,
    resident_02,
    resident_03,
    resident_04,
    resident_05,
    resident_06,
    resident_07,
    resident_08,
    resident_09,
    resident_10,
    resident_11,
    resident_12,
)

_RESIDENTS = (
    resident_01,
    resident_02,
    resident_03,
    resident_04,
    resident_05,
    resident_06,
    resident_07,
    resident_08,
    resident_09,
    resident_10,
    resident_11,
    resident_12,
)


def bundles() -> dict[str, Json]:
    """File name → transaction Bundle, in load order, which is also the order of the names."""
    result = {
        "00-sociale-kaart.json": transaction("sociale-kaart", directory.resources()),
        "10-kennis.json": transaction("kennis", knowledge.resources()),
    }
    for number, resident in enumerate(_RESIDENTS, start=1):
        result[f"20-bewoner-{number:02d}.json"] = transaction(f"bewoner-{number:02d}", resident.dossier())
    result["30-wijkcontract.json"] = transaction("wijkcontract", wijkcontract.resources())
    return result


def files() -> dict[str, bytes]:
    return {name: encode(bundle) for name, bundle in bundles().items()}
