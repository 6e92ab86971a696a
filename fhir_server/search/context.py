"""What a search is read against: definitions, clock, zone, own URLs, and the bounds of what may be asked.

https://hl7.org/fhir/R4/search.html
"""

from dataclasses import dataclass
from datetime import tzinfo

from fhir_server.search.parameters import SearchParameters
from profiles.registry import Registry

VALUE_LENGTH_MAX = 2_000  # signs of one value, and of one _filter
OR_VALUES_MAX = 200  # values joined by commas in one parameter
PARAMETERS_MAX = 100  # name=value pairs in one search
CHAIN_DEPTH_MAX = 10  # links of one chain, `_has` included
CHAIN_LINKS_MAX = 300  # links in all, when a chain may lead to many types
CHAIN_ATTEMPTS_MAX = 3_000  # types tried on the way
FILTER_DEPTH_MAX = 20  # parentheses and brackets of one _filter
SORT_KEYS_MAX = 10
NEAR_KM_DEFAULT = 5.0  # `near` without a distance: as far as a resident cycles


@dataclass(frozen=True, slots=True)
class Context:
    """Passed in by the interaction. `now` is in microseconds since 1970 UTC; base URLs have no final slash."""

    parameters: SearchParameters
    now: int
    zone: tzinfo
    base_urls: tuple[str, ...]
    count_default: int = 50
    count_max: int = 1_000
    lenient: bool = False  # Prefer: handling=lenient

    @property
    def registry(self) -> Registry:
        return self.parameters.registry
