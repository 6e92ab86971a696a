"""Which rows of which index table a leaf means: one table, conditions on its columns.

https://hl7.org/fhir/R4/search.html#ptypes
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

import json
from dataclasses import dataclass, field

from fhir_server.search import query as ast
from fhir_server.store.sqlite.query.bind import Binder
from fhir_server.store.sqlite.query.ranges import closed, half_open

# Tables whose key leads from the value over the owner to the rid: a check of one resource is a full seek.
BY_VALUE = frozenset(("coding", "coding_text", "of_type", "uri", "reference", "reference_url", "reference_identifier"))
# Tables whose rows have a group, for the components of composites.
GROUPED = frozenset(
    ("coding", "uri", "reference", "reference_url", "reference_identifier", "string", "number", "date", "quantity")
)


@dataclass(slots=True)
class Rows:
    """Rows of `table` under an alias: `terms` all hold, `params` are what their question marks stand for, in order.

    `keyed`: the terms fix the columns that lead the key of a BY_VALUE table, up to its owner.
    `unique`: at most one of the rows is of the same resource (and group).
    """

    table: str
    alias: str
    param: int
    terms: list[str] = field(default_factory=list)
    params: list[object] = field(default_factory=list)
    keyed: bool = False
    unique: bool = False

    def __post_init__(self) -> None:
        self.where(f"{self.alias}.param = ?", self.param)

    def where(self, term: str, *params: object) -> None:
        self.terms.append(term)
        self.params += params

    @property
    def sql(self) -> str:
        return " AND ".join(self.terms)


def rows(binder: Binder, leaf: ast.Predicate, type: str, x: str) -> Rows | None:
    """The rows that a leaf about a search parameter means, as alias `x`; None for what is not kept as such rows."""
    match leaf:
        case ast.Token() | ast.TokenIn() | ast.TokenText() | ast.OfType():
            return _token(binder, leaf, _param(binder, type, leaf.param), x)
        case ast.String(param, mode, value):
            return _string(mode, value, _param(binder, type, param), x)
        case ast.Number(param, compare, low, high):
            found = Rows("number", x, _param(binder, type, param))
            terms, values = closed(compare, f"{x}.low", f"{x}.high", low, high)
            found.where(terms, *values)
            return found
        case ast.Date(param, compare, low, high):
            found = Rows("date", x, _param(binder, type, param))
            terms, values = half_open(compare, f"{x}.low", f"{x}.high", low, high)
            found.where(terms, *values)
            return found
        case ast.Quantity():
            return _quantity(binder, leaf, _param(binder, type, leaf.param), x)
        case ast.Uri(param, mode, value):
            return _uri(mode, value, _param(binder, type, param), x)
        case ast.Reference():
            return _reference(binder, leaf, _param(binder, type, leaf.param), x)
    return None


def _param(binder: Binder, type: str, code: str) -> int:
    num = binder.param(type, code)
    assert num is not None  # bind has folded away what was never indexed
    return num


def _token(binder: Binder, leaf: ast.Token | ast.TokenIn | ast.TokenText | ast.OfType, param: int, x: str) -> Rows:
    match leaf:
        case ast.Token(_, system, code, folded):
            found = Rows("coding", x, param)
            if code is not None:
                fold = code.casefold()
                found.where(f"{x}.folded = ?", fold)
                if not folded:
                    found.where(f"{x}.code = ?", "" if fold == code else code)
                found.keyed = True
                found.unique = system is not None and not folded
            if system is not None:
                found.where(f"{x}.system = ?", binder.names.system(binder.connection, system))
            return found
        case ast.TokenIn(_, codings):
            return _token_in(binder, codings, param, x)
        case ast.TokenText(_, value):
            found = Rows("coding_text", x, param)
            # Any run of words may start it: each word of the text follows a space, the first is given one.
            found.where(
                f"EXISTS (SELECT 1 FROM display WHERE num = {x}.display AND instr(' ' || value, ?) > 0)", " " + value
            )
            return found
        case ast.OfType(_, system, code, value):
            found = Rows("of_type", x, param, keyed=True, unique=True)
            found.where(f"{x}.value = ?", value)
            found.where(f"{x}.system = ?", binder.names.system(binder.connection, system))
            found.where(f"{x}.code = ?", code)
            return found


def _token_in(binder: Binder, codings: tuple[tuple[str | None, str], ...], param: int, x: str) -> Rows:
    found = Rows("coding", x, param)
    listed: list[tuple[str, str, int]] = []
    of_any_system: list[tuple[str, str]] = []
    for system, code in codings:
        fold = code.casefold()
        exact = "" if fold == code else code
        if system is None:
            of_any_system.append((fold, exact))
        elif (num := binder.names.system(binder.connection, system)) is not None:
            listed.append((fold, exact, num))
    folds = sorted({coding[0] for coding in (*listed, *of_any_system)})
    found.where(f"{x}.folded IN (SELECT value FROM json_each(?))", json.dumps(folds))
    pair = "SELECT value ->> 0, value ->> 1 FROM json_each(?)"
    triple = "SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)"
    found.where(
        f"(({x}.folded, {x}.code) IN ({pair}) OR ({x}.folded, {x}.code, {x}.system) IN ({triple}))",
        json.dumps(of_any_system),
        json.dumps(listed),
    )
    return found


def _string(mode: str, value: str, param: int, x: str) -> Rows:
    found = Rows("string", x, param)
    if mode == "exact":
        found.where(f"{x}.exact = ?", value)
    elif mode == "contains":
        found.where(f"instr({x}.normal, ?) > 0", value)
    elif mode == "equals":
        found.where(f"{x}.normal = ?", value)
    elif mode == "ends":
        found.where(f"substr({x}.normal, -length(?)) = ?", value, value)
    else:
        found.where(f"{x}.normal >= ?", value)
        if (end := after_prefix(value)) is not None:
            found.where(f"{x}.normal < ?", end)
    return found


def after_prefix(prefix: str) -> str | None:
    """The first string, in order of code points, behind all that start with `prefix`; None if there is no such."""
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            # Surrogates are no characters: the one after U+D7FF is U+E000.
            return prefix[:-1] + chr(0xE000 if last == 0xD7FF else last + 1)
        prefix = prefix[:-1]
    return None


def _quantity(binder: Binder, leaf: ast.Quantity, param: int, x: str) -> Rows:
    found = Rows("quantity", x, param)
    if leaf.canonical:
        if leaf.code is not None:
            found.where(f"{x}.canonical_code = ?", leaf.code)
        terms, values = closed(leaf.compare, f"{x}.canonical_low", f"{x}.canonical_high", leaf.low, leaf.high)
    else:
        if leaf.system:
            found.where(f"{x}.system = ?", binder.names.system(binder.connection, leaf.system))
            if leaf.code is not None:
                found.where(f"{x}.code = ?", leaf.code)
        elif leaf.code is not None:
            found.where(f"({x}.code = ? OR {x}.unit = ?)", leaf.code, leaf.code)
        terms, values = closed(leaf.compare, f"{x}.low", f"{x}.high", leaf.low, leaf.high)
    found.where(terms, *values)
    return found


def _uri(mode: str, value: str, param: int, x: str) -> Rows:
    found = Rows("uri", x, param)
    if mode == "exact":
        found.where(f"{x}.value = ?", value)
        found.keyed = found.unique = True
    elif mode == "below":
        folder = value.rstrip("/") + "/"
        found.where(f"({x}.value = ? OR ({x}.value >= ? AND {x}.value < ?))", value, folder, after_prefix(folder))
    else:
        found.where(f"{x}.value IN (SELECT value FROM json_each(?))", json.dumps(ancestors(value)))
    return found


def ancestors(value: str) -> list[str]:
    """The URI itself and every URI above it, by path segments, with and without a slash at the end."""
    found = {value}
    for end, character in enumerate(value):
        if character == "/":
            found.update((value[:end].rstrip("/"), value[: end + 1]))
    found.discard("")
    return sorted(found)


def _reference(binder: Binder, leaf: ast.Reference, param: int, x: str) -> Rows:
    if leaf.identifier is not None:
        system, value = leaf.identifier
        found = Rows("reference_identifier", x, param, keyed=True, unique=system is not None)
        found.where(f"{x}.value = ?", value)
        if system is not None:
            found.where(f"{x}.system = ?", binder.names.system(binder.connection, system))
        return found
    if leaf.url is not None:
        found = Rows("reference_url", x, param, keyed=True)
        found.where(f"{x}.url = ?", leaf.url)
    else:
        found = Rows("reference", x, param)
        if leaf.id is not None:
            found.where(f"{x}.target_id = ?", leaf.id)
            found.keyed = leaf.type is not None
            found.unique = False
        if leaf.type is not None:
            found.where(f"{x}.target_type = ?", leaf.type)
    if leaf.version is not None:
        found.where(f"{x}.version = ?", leaf.version)
    return found
