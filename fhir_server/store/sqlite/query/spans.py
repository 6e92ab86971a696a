"""The part of an index by value that can hold the ranges asked for.

Indexes are by the start of a range. Narrow rows end close to their start, so a bound on their end is one on their start
too; the few wide rows have an index by their end. https://hl7.org/fhir/R4/search.html#prefix
"""

from dataclasses import dataclass, replace

from fhir_server.search import query as ast
from fhir_server.search.query import Compare
from fhir_server.store.sqlite.index_tables import NARROW_US


@dataclass(frozen=True, slots=True)
class Span:
    """Conditions that an index seeks; those for wide rows take what the others leave out. '' if there are none such."""

    index: str
    sql: str
    params: tuple[object, ...]
    wide_index: str = ""
    wide_sql: str = ""
    wide_params: tuple[object, ...] = ()

    def up_to(self, end: "Span") -> "Span":
        """What is in both, where `end` bounds the starts of all its rows."""
        return replace(
            self,
            sql=f"{self.sql} AND {end.sql}",
            params=(*self.params, *end.params),
            wide_sql=f"{self.wide_sql} AND {end.sql}" if self.wide_sql else "",
            wide_params=(*self.wide_params, *end.params) if self.wide_sql else (),
        )


def span(leaf: ast.Date | ast.Number | ast.Quantity, d: str) -> Span | None:
    """Where to look for rows `d`; None if it is nearly everywhere (`ne`)."""
    low, high = f"{d}.low", f"{d}.high"
    index, width = "number", "0"
    slack: float = 0
    if isinstance(leaf, ast.Date):
        index, slack, width = "date", NARROW_US, str(NARROW_US)
    elif isinstance(leaf, ast.Quantity):
        index = "quantity"
        if leaf.canonical and leaf.code is not None:
            low, high, index = f"{d}.canonical_low", f"{d}.canonical_high", "quantity_canonical"
        elif leaf.canonical:
            return None
    narrow_index = index if index == "quantity_canonical" else f"{index}_low"
    a, b = leaf.low, leaf.high
    match leaf.compare:
        case Compare.EQ:
            return Span(narrow_index, f"{low} >= ? AND {low} <= ?", (a, b))
        case Compare.LT:
            return Span(narrow_index, f"{low} < ?", (a,))
        case Compare.LE:
            return Span(narrow_index, f"{low} <= ?", (b,))
        case Compare.EB:
            return Span(narrow_index, f"{low} <= ?", (a,))
        case Compare.SA:
            return Span(narrow_index, f"{low} >= ?", (b,))
        case Compare.GT:
            least, most = b, None
        case Compare.GE:
            least, most = a, None
        case Compare.AP:
            least, most = a, b
        case _:
            return None
    # The row must end at or behind `least`: narrow ones start no more than `slack` before it.
    until = f" AND {low} <= ?" if most is not None else ""
    tail = (most,) if most is not None else ()
    wide = f"{high} - {low} > {width}" if isinstance(leaf, ast.Date) else f"{high} > {low}"
    return Span(
        narrow_index,
        f"{low} >= ?{until}",
        (least - slack, *tail),
        f"{index}_wide",
        f"{wide} AND {high} >= ? AND {low} < ?",
        (least, least - slack),
    )
