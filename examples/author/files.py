"""Which example file holds what, in the order in which they load: nothing points forward to a later file.

https://hl7.org/fhir/R4/bundle.html
"""

from examples.author import directory
from examples.author.bundle import encode, transaction
from examples.author.elements import Json


def bundles() -> dict[str, Json]:
    """File name → transaction Bundle, in load order, which is also the order of the names."""
    return {"00-sociale-kaart.json": transaction("sociale-kaart", directory.resources())}


def files() -> dict[str, bytes]:
    return {name: encode(bundle) for name, bundle in bundles().items()}
