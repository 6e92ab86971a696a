"""Narrowing puts what is visible at the top and inside every criterion on another resource."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fhir_server.gateway.narrow import conjunction, disjunction, narrow
from fhir_server.search.query import (
    EVERYTHING,
    NOTHING,
    And,
    Chain,
    Has,
    Not,
    Or,
    OwnedBy,
    Predicate,
    Query,
    Token,
    TypeIn,
    Unowned,
)

CODE = Token("code", None, "x")
MINE = OwnedBy(("p",))


def visible(type: str) -> Predicate:
    return {"Organization": Unowned(), "Secret": NOTHING}.get(type, MINE)


def test_the_top_is_restricted() -> None:
    assert narrow(Query(("Observation",), CODE), visible).where == And((MINE, CODE))


def test_nothing_visible_asks_nothing() -> None:
    assert narrow(Query(("Secret",), CODE), visible).where == NOTHING


def test_types_with_one_answer_stand_together() -> None:
    where = narrow(Query(("A", "B", "Organization", "Secret"), EVERYTHING), visible).where
    assert where == Or((And((TypeIn(("A", "B")), MINE)), And((TypeIn(("Organization",)), Unowned()))))
    assert narrow(Query(("A", "B"), EVERYTHING), visible).where == MINE


LEAVES = st.sampled_from([CODE, Token("status", None, "y"), EVERYTHING])
PREDICATES: Any = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: And((a, b)), inner, inner),
        st.builds(lambda a, b: Or((a, b)), inner, inner),
        st.builds(Not, inner),
        st.builds(lambda child: Chain("subject", "Patient", child), inner),
        st.builds(lambda child: Chain("performer", "Secret", child), inner),
        st.builds(lambda child: Has("Observation", "subject", child), inner),
    ),
    max_leaves=8,
)


def unrestricted(predicate: Predicate) -> list[Predicate]:
    """Every chain and `_has` in it that is not restricted to what is visible."""
    match predicate:
        case And(children) | Or(children):
            return [found for child in children for found in unrestricted(child)]
        case Not(child):
            return unrestricted(child)
        case Chain(_, type, child) | Has(type, _, child):
            wanted = visible(type)
            good = child in (wanted, NOTHING) or (isinstance(child, And) and wanted in child.children)
            return [*([] if good else [predicate]), *unrestricted(child)]
    return []


@given(PREDICATES)
def test_no_chain_or_has_at_any_depth_escapes(where: Predicate) -> None:
    assert unrestricted(narrow(Query(("Patient",), where), visible).where) == []


def test_conjunction_and_disjunction_know_their_zeros() -> None:
    assert conjunction() == EVERYTHING
    assert conjunction(CODE, NOTHING) == NOTHING
    assert conjunction(CODE, EVERYTHING, CODE) == CODE
    assert disjunction() == NOTHING
    assert disjunction(CODE, EVERYTHING) == EVERYTHING
    assert disjunction(CODE, NOTHING, CODE) == CODE
