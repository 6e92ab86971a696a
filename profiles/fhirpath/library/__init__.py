"""FHIRPath's functions by chapter; `FUNCTIONS` is all of them (http://hl7.org/fhirpath/N1/#functions)."""

from profiles.fhirpath.functions import Table
from profiles.fhirpath.library import boundaries, conversions, fhir, filters, numbers, sets, strings

FUNCTIONS: Table = {
    **filters.TABLE,
    **sets.TABLE,
    **strings.TABLE,
    **numbers.TABLE,
    **conversions.TABLE,
    **boundaries.TABLE,
    **fhir.TABLE,
}

# Functions whose arguments see an item of the input (or the input itself) as their focus.
FOCUSED = frozenset({"where", "select", "all", "exists", "repeat", "iif", "aggregate", "trace", "sort"})
