"""What holds of the resources in the dossiers and the worlds, as search criteria: questions that hit something are those that tell.

Read from the very index rows that the resources are filed by. https://hl7.org/fhir/R4/search.html
"""

import json
from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fhir_server.search.index import Indexer
from fhir_server.search.parameters import SearchParameters
from profiles import json as profiles_json
from profiles import registry as definitions
from tests.adversary.dossiers import PLACES, STEPS
from tests.adversary.worlds import UNIVERSE


class Link(NamedTuple):
    """A reference that some version of `source` holds, by a search parameter that finds it."""

    source: tuple[str, str]
    param: str
    target: tuple[str, str]


Criterion = tuple[str, str]


Place = tuple[str, str]


def _read() -> tuple[Mapping[Place, tuple[Criterion, ...]], tuple[Link, ...]]:
    registry = definitions.load()
    indexer = Indexer(SearchParameters(registry), ZoneInfo("Europe/Amsterdam"), ())
    criteria: dict[Place, dict[Criterion, None]] = {}
    links: dict[Link, None] = {}
    bodies = [step.change.resource for step in STEPS]
    bodies += [body for place, body in UNIVERSE.items() if place not in PLACES]
    for body in bodies:
        resource = profiles_json.parse(json.dumps(body).encode())
        type, place = resource["resourceType"], (resource["resourceType"], resource["id"])
        rows = indexer.extract(resource)
        known = registry.search_parameters(type)
        true: list[Criterion] = [("_id", resource["id"])]
        true += [(row.param, f"{row.system}|{row.code}" if row.system else row.code) for row in rows.tokens if row.code]
        true += [(row.param, row.exact) for row in rows.strings]
        true += [(row.param, row.value) for row in rows.uris]
        for row in rows.references:
            if row.id and row.param in known:
                true.append((row.param, f"{row.type}/{row.id}"))
                links[Link(place, row.param, (row.type, row.id))] = None
        # The index also files the components of composites, under names that no search may use.
        criteria.setdefault(place, {}).update(dict.fromkeys(one for one in true if one[0] in known and one[1]))
    return {place: tuple(found) for place, found in criteria.items()}, tuple(links)


CRITERIA_OF, LINKS = _read()
CRITERIA: Mapping[str, tuple[Criterion, ...]] = {
    type: tuple(dict.fromkeys(one for place, found in CRITERIA_OF.items() if place[0] == type for one in found))
    for type in {type for type, _ in CRITERIA_OF}
}
