"""How a version is named in headers: ETag, Last-Modified, Location, If-Match, If-None-Match.

https://hl7.org/fhir/R4/http.html#concurrency
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import gmtime

from fhir_server.gateway.release import Released
from fhir_server.gateway.results import Written
from fhir_server.outcome import Category, FhirError

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ETAG = re.compile(r'(?:W/)?"([^"]{1,64})"')
_NUMBER = re.compile(r"[1-9]\d{0,17}", re.ASCII)


def etag(version: int) -> str:
    return f'W/"{version}"'


def http_date(updated: int) -> str:
    """Microseconds since 1970 UTC as an IMF-fixdate of RFC 9110."""
    return _imf_fixdate(updated // 1_000_000)


@lru_cache(maxsize=4096)
def _imf_fixdate(second: int) -> str:
    moment = gmtime(second)
    return (
        f"{_DAYS[moment.tm_wday]}, {moment.tm_mday:02} {_MONTHS[moment.tm_mon - 1]} {moment.tm_year} "
        f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02} GMT"
    )


def version_headers(version: Released | Written) -> tuple[tuple[str, str], ...]:
    return ("ETag", etag(version.version)), ("Last-Modified", http_date(version.updated))


def location(base: str, version: Released | Written) -> str:
    """The version-specific URL. https://hl7.org/fhir/R4/http.html#create"""
    return f"{base}/{version.type}/{version.id}/_history/{version.version}"


def version_number(text: str) -> int | None:
    """The version id as a number; None if it can't be one of ours."""
    return int(text) if _NUMBER.fullmatch(text) else None


def if_match(headers: Mapping[str, str]) -> int | None:
    """The version that `If-Match` asks for, None without the header. Raises FhirError: 412 if no version can match."""
    return if_match_version(headers["if-match"]) if "if-match" in headers else None


def if_match_version(text: str) -> int:
    """The version in the text of an If-Match or of Bundle.entry.request.ifMatch."""
    found = _ETAG.fullmatch(text.strip())
    version = version_number(found[1] if found else text.strip())
    if version is None:
        raise FhirError(Category.VERSION, f"If-Match `{text[:40]}` is not a version of this server")
    return version


def not_modified(headers: Mapping[str, str], released: Released) -> bool:
    """Whether the client has this version already. `If-None-Match` wins over `If-Modified-Since` (RFC 9110, 13.2.2).

    https://hl7.org/fhir/R4/http.html#cread
    """
    known = headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or str(released.version) in _ETAG.findall(known)
    since = headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return released.updated // 1_000_000 <= parsedate_to_datetime(since).timestamp()
    except (ValueError, OverflowError):
        return False  # RFC 9110, 13.1.3: a date that cannot be read is ignored
