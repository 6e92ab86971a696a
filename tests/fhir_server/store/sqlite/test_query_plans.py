"""What a search costs: no shape of query that matters reads a whole table, and one that is too large is refused.

https://www.sqlite.org/eqp.html
"""

import random

import pytest

from fhir_server.search import query as ast
from fhir_server.search.query import Compare, Predicate, Query, SortKey
from fhir_server.search.rows import DateRow, FiledRow, IndexRows, QuantityRow, ReferenceRow, StringRow, TokenRow
from fhir_server.store.protocol import QueryTooComplex
from fhir_server.store.sqlite import query
from tests.fhir_server.store.reference_evaluator import Stored
from tests.fhir_server.store.sqlite.database import Database

PATIENTS, PER_PATIENT = 60, 50


def wijk() -> Database:
    draw = random.Random(1)
    found = []
    for p in range(PATIENTS):
        rows = IndexRows(
            tokens=[TokenRow("identifier", "bsn", f"{p:09}")],
            strings=[StringRow("name", f"naam{p:02}", f"Naam{p:02}")],
            dates=[DateRow("birthdate", p * 100, p * 100 + 1)],
        )
        found.append(Stored("Patient", f"p{p}", p, (f"p{p}",), rows))
        for n in range(PER_PATIENT):
            code, value = str(draw.randrange(20)), float(draw.randrange(100))
            day = draw.randrange(10**6)
            subject = [ReferenceRow(c, "Patient", f"p{p}", "", "", "", "") for c in ("subject", "patient")]
            quantities = [
                QuantityRow(param, value, value, "u", "mg", "mg", value, value, "g", group)
                for param, group in (("value-quantity", 0), ("code-value-quantity$1", 1))
            ]
            tokens = [
                TokenRow("code", "loinc", code),
                TokenRow("category", "cat", draw.choice(["lab", "vital"])),
                TokenRow("code-value-quantity$0", "loinc", code, 1),
            ]
            rows = IndexRows(
                tokens=tokens, references=subject, dates=[DateRow("date", day, day + 1)], quantities=quantities
            )
            rows.filed = [FiledRow("category", tokens[1].code)]
            found.append(Stored("Observation", f"o{p}-{n}", p * 100 + n, (f"p{p}",), rows))
    return Database(found)


@pytest.fixture(scope="module")
def database() -> Database:
    return wijk()


CODE = ast.Token("code", "loinc", "3")
PATIENT = ast.Reference("patient", "Patient", "p7")
SINCE = ast.Date("date", Compare.GE, 500_000, 500_001)
VALUE = ast.Quantity("value-quantity", Compare.GT, 50.0, 50.0)
LATEST = (SortKey("date", "date", True),)
LAB = ast.Filed("category", ("lab",))
BY_OWNER = ast.ByOwner(((("p7",), LAB),), ast.NOTHING)
BY_OWNERS = ast.ByOwner(((tuple(f"p{n}" for n in range(0, PATIENTS, 2)), LAB),), ast.Not(LAB))


def observations(*where: Predicate, sort: tuple[SortKey, ...] = ()) -> Query:
    return Query(("Observation",), ast.And(where), sort)


SHAPES = {
    "patient, code": observations(PATIENT, CODE),
    "patient, category, date, newest first": observations(
        PATIENT, ast.Token("category", "cat", "lab"), SINCE, sort=LATEST
    ),
    "patient, value": observations(PATIENT, VALUE),
    "owned, value": observations(ast.OwnedBy(("p7",)), VALUE),
    "owned, code": observations(ast.OwnedBy(("p7",)), CODE),
    "owned": observations(ast.OwnedBy(("p7",))),
    "owned, newest first": observations(ast.OwnedBy(("p7",)), sort=LATEST),
    "by owner, value": observations(BY_OWNER, VALUE),
    "by owner, code": observations(BY_OWNER, CODE),
    "by owner": observations(BY_OWNER),
    "by owner, newest first": observations(BY_OWNER, sort=LATEST),
    "by owners": observations(BY_OWNERS),
    "by owners, patient, code": observations(BY_OWNERS, PATIENT, CODE),
    "by owners, code": observations(BY_OWNERS, CODE),
    "by owners, newest first": observations(BY_OWNERS, sort=LATEST),
    "identifier": Query(("Patient",), ast.Token("identifier", "bsn", "000000007")),
    "name, birthdate": Query(
        ("Patient",), ast.And((ast.String("name", "starts", "naam0"), ast.Date("birthdate", Compare.EQ, 700, 800)))
    ),
    "code": observations(CODE),
    "code, value": observations(CODE, ast.Quantity("value-quantity", Compare.GT, 50.0, 50.0)),
    "composite": observations(
        ast.Composite(
            "code-value-quantity",
            (
                ast.Token("code-value-quantity$0", "loinc", "3"),
                ast.Quantity("code-value-quantity$1", Compare.GT, 50.0, 50.0),
            ),
        )
    ),
    "chain": observations(ast.Chain("subject", "Patient", ast.String("name", "starts", "naam07"))),
    "has": Query(("Patient",), ast.Has("Observation", "patient", CODE)),
    "id": Query(("Patient",), ast.Ids(("p7",))),
    "everything, newest change first": observations(sort=(SortKey("_lastUpdated", "updated", True),)),
    "everything, newest first": observations(sort=LATEST),
    "everything by name": Query(("Patient",), ast.EVERYTHING, (SortKey("name", "string"),)),
    "changed since": observations(ast.LastUpdated(Compare.GE, 5_000, 5_001)),
    "several types": Query(
        ("Observation", "Patient"),
        ast.Or((ast.And((ast.TypeIn(("Patient",)), ast.OwnedBy(("p1",)))), ast.OwnedBy(("p2",)))),
    ),
}


def statements(database: Database, asked: Query) -> list[str]:
    """What SQLite is given for a page of it, with the values written in."""
    seen: list[str] = []
    database.connection.set_trace_callback(seen.append)
    try:
        query.page(database.connection, database.names, asked, 20, b"")
    finally:
        database.connection.set_trace_callback(None)
    # What a judge looks up is traced as a comment.
    return [statement for statement in seen if not statement.startswith("--")]


def plan(database: Database, statement: str) -> list[str]:
    return [row[3] for row in database.connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_common_search_scans_a_table(database: Database, shape: str) -> None:
    for statement in statements(database, SHAPES[shape]):
        for step in plan(database, statement):
            # `hits`, a union and a JSON list are what the statement itself made; (t1, t2) names a subquery's alias.
            made = any(word in step for word in ("hits", "json_each", "SCAN (subquery", "CONSTANT ROW"))
            table = step.split()[1] if step.startswith("SCAN") else ""
            assert not step.startswith("SCAN") or made or table.startswith("t"), (step, statement)
            assert "AUTOMATIC" not in step, (step, statement)


IN_ORDER = [
    "owned, code",
    "owned",
    "owned, newest first",
    "by owner, code",
    "by owner",
    "by owner, newest first",
    "by owners",
    "by owners, code",
    "by owners, newest first",
    "code",
    "code, value",
    "composite",
    "everything, newest change first",
    "everything, newest first",
    "everything by name",
    "changed since",
]


@pytest.mark.parametrize("shape", IN_ORDER)
def test_a_page_is_read_in_its_order_without_sorting(database: Database, shape: str) -> None:
    """So that a page costs the same however many match."""
    found = statements(database, SHAPES[shape])
    steps = [step for statement in found for step in plan(database, statement) if "FROM hits" not in statement]
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in steps), steps


PATIENT_SCOPED = [
    "patient, code",
    "patient, category, date, newest first",
    "patient, value",
    "owned, value",
    "owned, code",
    "owned",
    "owned, newest first",
    "by owner, value",
    "by owner, code",
    "by owner",
    "by owner, newest first",
    "by owners, patient, code",
]


@pytest.mark.parametrize("shape", PATIENT_SCOPED)
def test_a_search_within_a_patient_takes_steps_for_that_patient_only(shape: str) -> None:
    """Ten times the patients, about the same number of steps of SQLite's machine."""

    def steps(database: Database) -> int:
        taken = 0

        def tick() -> int:
            nonlocal taken
            taken += 1
            return 0

        database.connection.set_progress_handler(tick, 1)
        query.page(database.connection, database.names, SHAPES[shape], 20, b"")
        database.connection.set_progress_handler(None, 0)
        return taken

    few = Database()
    small = wijk()
    for key in list(small.rids):
        patient = key[1].split("-")[0].lstrip("op")
        if int(patient) not in (6, 7, 8):
            small.delete(key)
    assert few.rids == {}
    assert steps(wijk()) <= 1.5 * steps(small) + 100


@pytest.mark.parametrize(
    "leaf",
    [
        VALUE,
        ast.Quantity("value-quantity", Compare.GT, 50.0, 50.0, "http://unitsofmeasure.org", "g", canonical=True),
        SINCE,
    ],
)
def test_a_range_is_counted_without_looking_up_rows(database: Database, leaf: Predicate) -> None:
    """A thousand rows may be counted before a search knows where to start."""
    counting = [statement for statement in statements(database, observations(leaf, CODE)) if "count(*)" in statement]
    steps = [step for statement in counting for step in plan(database, statement)]
    ranges = [step for step in steps if "INDEX quantity_" in step or "INDEX date_" in step]
    assert ranges
    assert all("COVERING" in step for step in ranges), ranges


def nested(depth: int, predicate: Predicate = CODE) -> Predicate:
    for level in range(depth):
        target = "Patient" if level % 2 == 0 else "Observation"
        if target == "Patient":
            predicate = ast.Has("Observation", "patient", predicate)
        else:
            predicate = ast.Chain("patient", "Patient", predicate)
    return predicate


@pytest.mark.parametrize("depth", range(1, 40))
def test_criteria_in_one_another_work_or_are_refused_as_too_complex(database: Database, depth: int) -> None:
    type = "Patient" if depth % 2 else "Observation"
    asked = Query((type,), ast.Not(nested(depth)))
    try:
        query.page(database.connection, database.names, asked, 5, b"")
        query.total(database.connection, database.names, asked)
    except QueryTooComplex:
        assert depth > 4


@pytest.mark.parametrize("kind", [ast.And, ast.Or])
def test_many_criteria_work_or_are_refused_as_too_complex(
    database: Database, kind: type[ast.And] | type[ast.Or]
) -> None:
    def asked(number: int) -> Query:
        leaves = [ast.Date("date", Compare.GE, n, n + 1) for n in range(number)]
        return observations(kind(tuple(leaves)))

    assert query.page(database.connection, database.names, asked(50), 5, b"")[0]
    with pytest.raises(QueryTooComplex):
        query.page(database.connection, database.names, asked(5_000), 5, b"")


def test_alternating_and_or_not_works_or_is_refused_as_too_complex(database: Database) -> None:
    predicate: Predicate = CODE
    for n in range(300):
        predicate = ast.Not(ast.And((ast.Or((predicate, ast.Ids((str(n),)))), ast.Token("code", "loinc", str(n % 20)))))
    with pytest.raises(QueryTooComplex):
        query.total(database.connection, database.names, observations(predicate))


def restricted(predicate: Predicate, of_patients: Predicate) -> Predicate:
    """As the gateway narrows: what may be seen stands beside what is asked, on every level."""
    seen = ast.Or((ast.Unowned(), ast.And((ast.TypeIn(("Patient", "Observation")), of_patients))))
    match predicate:
        case ast.Chain(param, target, child):
            return ast.Chain(param, target, ast.And((seen, *conjuncts(restricted(child, of_patients)))))
        case ast.Has(source, param, child):
            return ast.Has(source, param, ast.And((seen, *conjuncts(restricted(child, of_patients)))))
    return predicate


def conjuncts(predicate: Predicate) -> tuple[Predicate, ...]:
    return predicate.children if isinstance(predicate, ast.And) else (predicate,)


@pytest.mark.parametrize("depth", range(1, 10))
@pytest.mark.parametrize("inner", [CODE, ast.Or((CODE, VALUE)), ast.And((CODE, VALUE, SINCE))])
def test_what_the_gateway_adds_does_not_make_a_search_too_complex(
    database: Database, depth: int, inner: Predicate
) -> None:
    """A refusal that depends on Consents would tell of them."""

    def outcome(where: Predicate) -> str:
        asked = Query(("Patient" if depth % 2 else "Observation",), where)
        try:
            query.total(database.connection, database.names, asked)
            query.page(database.connection, database.names, asked, 5, b"")
        except QueryTooComplex as refusal:
            return refusal.diagnostics
        return ""

    plain = nested(depth, inner)
    assert outcome(ast.And((BY_OWNERS, restricted(plain, BY_OWNERS)))) == outcome(plain)
    assert (outcome(plain) == "") == (depth < 5)


def test_criteria_up_to_the_limit_may_stand_beside_what_the_gateway_adds(database: Database) -> None:
    many = tuple([ast.Token("code", "loinc", str(n)) for n in range(400)])
    asked = observations(ast.Or(many), BY_OWNERS, LAB, ast.FiledSpan(0, 1, True))
    assert query.total(database.connection, database.names, asked) == 0


def test_policies_by_the_hundred_over_patients_by_the_thousand_are_one_search(database: Database) -> None:
    """Deep trees of many leaves: no limit of SQLite's parser, variables or expressions is ever met."""
    codes = ("lab", "vital")

    def policy(n: int) -> Predicate:
        tree: Predicate = ast.Filed("category", (codes[n % 2],))
        for level in range(60):
            other = ast.Filed("category", (f"{n}-{level}", f"{level}"))
            tree = ast.Not(ast.And((ast.Or((ast.Not(tree), other)), ast.Not(other))))
        return tree

    groups = tuple((tuple(f"p{g + 200 * n}" for n in range(100)), policy(g)) for g in range(200))
    asked = observations(ast.ByOwner(groups, ast.NOTHING))
    expected = sum(
        query.total(database.connection, database.names, observations(ast.OwnedBy((f"p{p}",)), *found))
        for p in range(PATIENTS)
        for found in [(ast.Token("category", "cat", codes[p % 2]),)]
    )
    assert query.total(database.connection, database.names, asked) == expected > 0


def test_a_query_for_thousands_of_patients_is_one_list(database: Database) -> None:
    patients = tuple(f"p{n}" for n in range(20_000))
    asked = observations(CODE, ast.OwnedBy(patients))
    assert query.total(database.connection, database.names, asked) == query.total(
        database.connection, database.names, observations(CODE)
    )
