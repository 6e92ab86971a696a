"""Narrow a query to what the requester may read, at the top and inside every chain and `_has`.

Criteria on another resource are tests on its content: unless that resource may be read, they must not even be felt in
the result. https://hl7.org/fhir/R4/search.html#chaining
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from fhir_server.search.query import (
    EVERYTHING,
    NOTHING,
    And,
    Chain,
    Composite,
    Has,
    Ids,
    Not,
    Or,
    Predicate,
    Query,
    Reference,
    TypeIn,
)

Visible: TypeAlias = Callable[[str], Predicate]


def narrow(query: Query, visible: Visible, beside: Visible | None = None) -> Query:
    """The same query over the resources of each type for which `visible(type)` holds, wherever the query looks.

    `beside` answers for the resources that criteria lead to, where that differs.
    """
    where = conjunction(visible_of(query.types, visible), within(query.where, beside or visible))
    return replace(query, where=where)


def about(query: Query, codes: Callable[[str], frozenset[str]]) -> frozenset[str] | None:
    """Patients of whom everything that matches is about at least one, None if the query does not say.

    `codes(type)` are the search parameters that name the patients a resource is about.
    """
    named = frozenset.intersection(*(codes(name) for name in query.types))
    found: frozenset[str] | None = None
    for criterion in query.where.children if isinstance(query.where, And) else (query.where,):
        patients = _patients(criterion, named, query.types == ("Patient",))
        if patients is not None:
            found = patients if found is None else found & patients
    return found


def _patients(criterion: Predicate, named: frozenset[str], by_id: bool) -> frozenset[str] | None:
    match criterion:
        case Reference(param, "Patient", str(logical_id)) if param in named:
            return frozenset((logical_id,))
        case Ids(ids) if by_id:
            return frozenset(ids)
        case Or(children) if children:
            each = [_patients(child, named, by_id) for child in children]
            return None if None in each else frozenset().union(*(one for one in each if one is not None))
    return None


def visible_of(types: tuple[str, ...], visible: Visible) -> Predicate:
    """What is visible of several types: types with the same answer stand together."""
    if len(types) == 1:
        return visible(types[0])
    by_answer: dict[Predicate, list[str]] = {}
    for name in types:
        by_answer.setdefault(visible(name), []).append(name)
    by_answer.pop(NOTHING, None)
    if len(by_answer) == 1 and len(next(iter(by_answer.values()))) == len(types):
        return next(iter(by_answer))
    return Or(tuple(conjunction(TypeIn(tuple(names)), answer) for answer, names in by_answer.items()))


def within(predicate: Predicate, visible: Visible) -> Predicate:
    """The predicate with each Chain and Has restricted to what is visible of the type it leads to."""
    if isinstance(predicate, And):
        return And(tuple(within(child, visible) for child in predicate.children))
    if isinstance(predicate, Or):
        return Or(tuple(within(child, visible) for child in predicate.children))
    if isinstance(predicate, Not):
        return Not(within(predicate.child, visible))
    if isinstance(predicate, Chain):
        return replace(predicate, child=conjunction(visible(predicate.target), within(predicate.child, visible)))
    if isinstance(predicate, Has):
        return replace(predicate, child=conjunction(visible(predicate.source), within(predicate.child, visible)))
    if isinstance(predicate, Composite):
        return replace(predicate, components=tuple(within(part, visible) for part in predicate.components))
    return predicate


def reached(predicate: Predicate) -> set[str]:
    """The types of other resources that the predicate looks at."""
    if isinstance(predicate, And | Or):
        return {name for child in predicate.children for name in reached(child)}
    if isinstance(predicate, Not):
        return reached(predicate.child)
    if isinstance(predicate, Chain):
        return {predicate.target} | reached(predicate.child)
    if isinstance(predicate, Has):
        return {predicate.source} | reached(predicate.child)
    return set()


def conjunction(*predicates: Predicate) -> Predicate:
    """All of them, without needless nesting: EVERYTHING falls away, NOTHING wins."""
    children: list[Predicate] = []
    for predicate in predicates:
        if predicate == NOTHING:
            return NOTHING
        parts = predicate.children if isinstance(predicate, And) else (predicate,)
        children.extend(part for part in parts if part not in children)
    if not children:
        return EVERYTHING
    return children[0] if len(children) == 1 else And(tuple(children))


def disjunction(*predicates: Predicate) -> Predicate:
    """Any of them, without needless nesting: NOTHING falls away, EVERYTHING wins."""
    children: list[Predicate] = []
    for predicate in predicates:
        if predicate == EVERYTHING:
            return EVERYTHING
        parts = predicate.children if isinstance(predicate, Or) else (predicate,)
        children.extend(part for part in parts if part not in children)
    if not children:
        return NOTHING
    return children[0] if len(children) == 1 else Or(tuple(children))


def negation(child: Predicate) -> Predicate:
    """What the child does not hold for, without needless nesting."""
    if child == EVERYTHING:
        return NOTHING
    if child == NOTHING:
        return EVERYTHING
    return child.child if isinstance(child, Not) else Not(child)
