"""Prefixes over ranges: the conditions that a row's range must meet.

https://hl7.org/fhir/R4/search.html#prefix: "the range of the search value" against "the range of the target value".
"""

from fhir_server.search.query import Compare

Terms = tuple[str, tuple[object, ...]]


def half_open(compare: Compare, low: str, high: str, a: int, b: int) -> Terms:
    """A row [low, high) (column names) against what is asked, [a, b); times."""
    match compare:
        case Compare.EQ:
            return f"{low} >= ? AND {high} <= ?", (a, b)
        case Compare.NE:
            return f"({low} < ? OR {high} > ?)", (a, b)
        case Compare.GT:
            return f"{high} > ?", (b,)
        case Compare.LT:
            return f"{low} < ?", (a,)
        case Compare.GE:
            return f"({high} > ? OR {low} >= ?)", (b, a)
        case Compare.LE:
            return f"({low} < ? OR {high} <= ?)", (a, b)
        case Compare.SA:
            return f"{low} >= ?", (b,)
        case Compare.EB:
            return f"{high} <= ?", (a,)
        case Compare.AP:
            return f"{low} < ? AND {high} > ?", (b, a)


def closed(compare: Compare, low: str, high: str, a: float, b: float) -> Terms:
    """A row [low, high], mostly a point, against [a, b), or against exactly `a` if both are the same."""
    below = "<=" if a == b else "<"  # at or below the end of what is asked
    above = ">" if a == b else ">="  # beyond it
    match compare:
        case Compare.EQ:
            return f"{low} >= ? AND {high} {below} ?", (a, b)
        case Compare.NE:
            return f"({low} < ? OR {high} {above} ?)", (a, b)
        case Compare.GT:
            return f"{high} {above} ?", (b,)
        case Compare.LT:
            return f"{low} < ?", (a,)
        case Compare.GE:
            return f"({high} {above} ? OR {low} >= ?)", (b, a)
        case Compare.LE:
            return f"({low} < ? OR {high} {below} ?)", (a, b)
        case Compare.SA:
            return f"{low} {above} ?", (b,)
        case Compare.EB:
            return f"{high} < ?", (a,)
        case Compare.AP:
            return f"{low} {below} ? AND {high} >= ?", (b, a)
