"""Keep citizen service numbers (BSN) out of what outlives a request: links, audit queries.

A BSN is 8 or 9 digits that pass the eleven test. https://www.nictiz.nl and
https://simplifier.net/packages/nictiz.fhir.nl.r4.zib2020 name its system `http://fhir.nl/fhir/NamingSystem/bsn`.
"""

import re
from collections.abc import Iterable

BSN_SYSTEM = "http://fhir.nl/fhir/NamingSystem/bsn"
REDACTED = "redacted"

_AFTER_SYSTEM = re.compile(re.escape(BSN_SYSTEM) + r"\\?\|[^,&\s]*")
_DIGITS = re.compile(r"(?<!\d)\d{8,9}(?!\d)")


def redact(parameters: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The parameters without any BSN in a value: said to be one by its system, or passing for one by its digits."""
    return tuple((name, redact_text(value)) for name, value in parameters)


def redact_text(text: str) -> str:
    text = _AFTER_SYSTEM.sub(f"{BSN_SYSTEM}|{REDACTED}", text)
    return _DIGITS.sub(lambda match: REDACTED if passes_eleven_test(match[0]) else match[0], text)


def passes_eleven_test(digits: str) -> bool:
    """9a + 8b + … + 2h − i is a multiple of eleven, and the number is not all zeros."""
    number = digits.zfill(9)
    total = sum(int(digit) * weight for digit, weight in zip(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)))
    return total % 11 == 0 and total != 0
