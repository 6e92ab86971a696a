"""What an emitter is: it files one value of one data type as index rows of one search parameter.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from fhir_server.search.rows import IndexRows

# (value in JSON form, where to file it, number of the composite occurrence or 0)
Emit: TypeAlias = Callable[[Any, IndexRows, int], None]
