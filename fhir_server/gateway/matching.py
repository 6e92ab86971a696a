"""Whether one resource matches the constraint of a scope, judged by its index rows, for reads that ask no query.

Covers what SMART uses constraints for: codes, references, uris, strings and their absence.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
"""

from fhir_server.search.query import And, Missing, Not, Or, Predicate, Reference, String, Token, TokenIn, Uri
from fhir_server.search.rows import IndexRows, ReferenceRow, StringRow, TokenRow


def judgeable(predicate: Predicate) -> bool:
    """Whether `matches` can judge the predicate; a scope with any other constraint is not honoured at all."""
    if isinstance(predicate, And | Or):
        return all(judgeable(child) for child in predicate.children)
    if isinstance(predicate, Not):
        return judgeable(predicate.child)
    if isinstance(predicate, Uri):
        return predicate.mode == "exact"
    return isinstance(predicate, Missing | Token | TokenIn | Reference | String)


def matches(predicate: Predicate, rows: IndexRows) -> bool:
    """Whether a resource with these rows matches. Raises TypeError for what is not `judgeable`."""
    match predicate:
        case And(children):
            return all(matches(child, rows) for child in children)
        case Or(children):
            return any(matches(child, rows) for child in children)
        case Not(child):
            return not matches(child, rows)
        case Missing(param, missing):
            return missing != _present(param, rows)
        case Token():
            return any(_token(predicate, row) for row in rows.tokens if row.param == predicate.param)
        case TokenIn(param, codings):
            return any(
                row.code == code and (system is None or row.system == system)
                for row in rows.tokens
                if row.param == param
                for system, code in codings
            )
        case Reference():
            return any(_reference(predicate, row) for row in rows.references if row.param == predicate.param)
        case String():
            return any(_string(predicate, row) for row in rows.strings if row.param == predicate.param)
        case Uri(param, "exact", value):
            return any(row.param == param and row.value == value for row in rows.uris)
    raise TypeError(f"a scope cannot be constrained by {type(predicate).__name__}")


def _present(param: str, rows: IndexRows) -> bool:
    return any(
        row.param == param
        for table in (
            rows.tokens,
            rows.texts,
            rows.strings,
            rows.numbers,
            rows.dates,
            rows.quantities,
            rows.uris,
            rows.references,
            rows.points,
        )
        for row in table
    )


def _token(asked: Token, row: TokenRow) -> bool:
    if asked.system is not None and asked.system != row.system:
        return False
    if asked.code is None:
        return True
    return asked.code == (row.code.casefold() if asked.folded else row.code)


def _reference(asked: Reference, row: ReferenceRow) -> bool:
    if asked.identifier is not None:
        system, value = asked.identifier
        return row.identifier_value == value and system in (None, row.identifier_system)
    if asked.url is not None:
        return row.url == asked.url and asked.version in (None, row.version)
    return row.id == asked.id and asked.type in (None, row.type)


def _string(asked: String, row: StringRow) -> bool:
    if asked.mode == "exact":
        return row.exact == asked.value
    return row.normal.startswith(asked.value) if asked.mode == "starts" else asked.value in row.normal
