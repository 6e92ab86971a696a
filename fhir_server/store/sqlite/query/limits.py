"""SQLite's own refusals of a statement that is too large, as the store's: a safety net behind `bind`'s bounds.

https://www.sqlite.org/limits.html
"""

from collections.abc import Callable
from functools import wraps
from sqlite3 import OperationalError
from typing import ParamSpec, TypeVar

from fhir_server.store.protocol import QueryTooComplex

P = ParamSpec("P")
R = TypeVar("R")

_REFUSALS = (
    "parser stack overflow",
    "expression tree is too large",
    "too many",
    "at most 64 tables",
    "string or blob too big",
)


def within_limits(search: Callable[P, R]) -> Callable[P, R]:
    """Raises QueryTooComplex where SQLite would raise an error of its own about the size of a statement."""

    @wraps(search)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return search(*args, **kwargs)
        except OperationalError as error:
            text = str(error).lower()
            if any(refusal in text for refusal in _REFUSALS):
                raise QueryTooComplex("a search that makes too large a statement") from error
            raise

    return checked
