"""A search as a whole: https://hl7.org/fhir/R4/search.html."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fhir_server.outcome import Category, FhirError
from fhir_server.search.context import OR_VALUES_MAX, PARAMETERS_MAX, VALUE_LENGTH_MAX, Context
from fhir_server.search.parse import ParsedSearch, parse
from fhir_server.search.query import EVERYTHING, Ids, SortKey, String, Token
from fhir_server.search.results import Include
from profiles.registry import Registry

Search = Callable[..., ParsedSearch]


# --- unknown, empty, large -----------------------------------------------------------------------------------------


def test_lenient_passes_over_what_it_does_not_know_and_says_so(search: Search, context: Context) -> None:
    found = search("Patient", "onzin=1", "family=x", "name=", "_sort=family", context=replace(context, lenient=True))
    assert set(found.ignored) == {"onzin", "name"}
    assert found.query.where == String("family", "starts", "x")
    assert found.pairs == (("family", "x"), ("_sort", "family"))


def test_lenient_passes_over_an_unknown_sort_key(search: Search, context: Context) -> None:
    found = search("Patient", "family=x", "_sort=onzin", context=replace(context, lenient=True))
    assert (found.ignored, found.query.sort, found.pairs) == (("_sort",), (), (("family", "x"),))


@pytest.mark.parametrize(
    "pair", ["name:onzin=x", "birthdate=x", "_count=x", "gender.name=x", "_query=x", "_contained=true"]
)
def test_lenient_does_not_pass_over_what_it_knows_and_cannot_do(search: Search, context: Context, pair: str) -> None:
    with pytest.raises(FhirError):
        search("Patient", pair, context=replace(context, lenient=True))


def test_a_parameter_without_a_value_does_not_turn_into_a_search_for_all(search: Search) -> None:
    with pytest.raises(FhirError, match="`identifier`: has no value"):
        search("Patient", "identifier=")


@pytest.mark.parametrize("text", ["a,,b", ",a", "a,", ",", " "])
def test_an_empty_alternative_is_refused(search: Search, text: str) -> None:
    with pytest.raises(FhirError, match="empty value"):
        search("Patient", f"family={text}")


def test_sizes_are_bounded(search: Search) -> None:
    assert search("Patient", "family=" + "x" * VALUE_LENGTH_MAX)
    assert search("Patient", "_id=" + ",".join(["x"] * OR_VALUES_MAX))
    for pairs in (
        ["family=" + "x" * (VALUE_LENGTH_MAX + 1)],
        ["family:exact=" + "x" * 10_000],
        ["_id=" + ",".join(["x"] * (OR_VALUES_MAX + 1))],
        ["family=x"] * (PARAMETERS_MAX + 1),
        ["family=a\0b"],
        ["family=\ud800"],
        ["_id=\udfff"],
    ):
        with pytest.raises(FhirError) as caught:
            search("Patient", *pairs)
        assert caught.value.category.status == 400
        assert len(caught.value.diagnostics) < 200


# --- count, total, summary, elements -------------------------------------------------------------------------------


@pytest.mark.parametrize("text, count", [("0", 0), ("7", 7), ("500", 500), ("501", 500), ("9" * 30, 500)])
def test_count_is_clipped_to_what_the_server_allows(search: Search, text: str, count: int) -> None:
    assert search("Patient", f"_count={text}").count == count


def test_count_has_a_default(search: Search) -> None:
    assert search("Patient").count == 50


@pytest.mark.parametrize("pair", ["_count=-1", "_count=1.5", "_count=veel", "_count=²", "_total=yes", "_summary=all"])
def test_what_shapes_the_answer_has_its_own_values(search: Search, pair: str) -> None:
    with pytest.raises(FhirError, match=pair.partition("=")[0]):
        search("Patient", pair)


def test_total_summary_and_elements_are_passed_on(search: Search) -> None:
    plain = search("Patient")
    assert (plain.total, plain.summary, plain.elements) == ("none", None, ())
    found = search("Patient", "_total=accurate", "_summary=text", "_elements=name,birthDate")
    assert (found.total, found.summary, found.elements) == ("accurate", "text", ("name", "birthDate"))


def test_an_element_may_be_named_with_its_type(search: Search) -> None:
    found = search("Observation", "_elements=status,Patient.name", "_include=Observation:subject")
    assert found.elements == ("status", "Patient.name")
    for name in ("Patient.status", "Onzin.name", "name", "status.x"):
        with pytest.raises(FhirError, match="_elements"):
            search("Observation", f"_elements={name}")


def test_an_element_that_the_type_does_not_have_is_refused(search: Search) -> None:
    with pytest.raises(FhirError, match="`naam` is not an element of Patient"):
        search("Patient", "_elements=id,naam")


@pytest.mark.parametrize("name", ["_count=1", "_sort=_id", "_summary=true", "_elements=id", "_total=none"])
def test_what_can_be_said_once_is_not_said_twice(search: Search, name: str) -> None:
    with pytest.raises(FhirError, match="more than once"):
        search("Patient", name, name)


# --- sort ----------------------------------------------------------------------------------------------------------


def test_sort_keys_have_the_kind_of_their_parameter(search: Search) -> None:
    found = search("Patient", "_sort=family,-birthdate,gender,_id,-_lastUpdated,organization")
    assert found.query.sort == (
        SortKey("family", "string"),
        SortKey("birthdate", "date", True),
        SortKey("gender", "token"),
        SortKey("_id", "id"),
        SortKey("_lastUpdated", "updated", True),
        SortKey("organization", "reference"),
    )
    assert search("Observation", "_sort=-value-quantity").query.sort == (SortKey("value-quantity", "quantity", True),)


def test_a_sort_by_distance_measures_from_the_point_asked(search: Search) -> None:
    found = search("Location", "near=50.9|5.9|2|km", "status=active", "_sort=near")
    assert found.query.sort == (SortKey("near", "near", False, (50.9, 5.9)),)
    with pytest.raises(FhirError, match="near"):
        search("Location", "_sort=near")


@pytest.mark.parametrize(
    "text", ["onzin", "-", "", "family,,given", "code-value-quantity", "_text", "_score", "_filter"]
)
def test_what_cannot_be_sorted_by_is_refused(search: Search, text: str) -> None:
    with pytest.raises(FhirError):
        search("Observation", f"_sort={text}")


# --- include -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pair, expected",
    [
        ("_include=Observation:subject", Include("Observation", "subject", None, False)),
        ("_include=Observation:subject:Patient", Include("Observation", "subject", "Patient", False)),
        ("_include:iterate=Patient:organization", Include("Patient", "organization", None, True)),
        ("_include=Observation:*", Include("Observation", "*", None, False)),
        ("_include=*", Include("*", "*", None, False)),
        ("_include:iterate=Observation:*:Patient", Include("Observation", "*", "Patient", True)),
    ],
)
def test_includes(search: Search, pair: str, expected: Include) -> None:
    assert search("Observation", pair).includes == (expected,)
    assert search("Observation", pair.replace("_include", "_revinclude")).revincludes == (expected,)


@pytest.mark.parametrize(
    "pair",
    [
        "_include=Observation",
        "_include=Onzin:subject",
        "_include=Observation:onzin",
        "_include=Observation:code",
        "_include=Observation:subject:Medication",
        "_include=Observation:subject:Onzin",
        "_include:exact=*",
        "_revinclude=Observation:",
        "_include=a:b:c:d",
        "_include=subject",
    ],
)
def test_an_include_of_what_is_no_reference_is_refused(search: Search, pair: str) -> None:
    with pytest.raises(FhirError, match="include"):
        search("Observation", pair)


# --- the rest ------------------------------------------------------------------------------------------------------


def test_contained_resources_are_found_through_their_container(search: Search) -> None:
    assert search("Patient", "_contained=false").query.where == EVERYTHING
    for pair in ("_contained=true", "_contained=both", "_containedType=contained"):
        with pytest.raises(FhirError, match="only"):
            search("Patient", pair)


def test_the_cursor_is_kept_apart_and_representation_is_passed_on(search: Search) -> None:
    found = search("Patient", "family=x", "_cursor=abc", "_format=json", "_pretty=true")
    assert found.cursor == "abc"
    assert found.pairs == (("family", "x"), ("_format", "json"), ("_pretty", "true"))
    assert found.query.where == String("family", "starts", "x")


def test_a_search_over_all_types_has_the_common_parameters_only(registry: Registry, context: Context) -> None:
    found = parse(registry.resource_types, [("_id", "1"), ("_sort", "-_lastUpdated")], context)
    assert found.query.types == registry.resource_types
    assert found.query.where == Ids(("1",))
    assert parse(registry.resource_types, [("_tag", "a")], context).query.where == Token("_tag", None, "a")
    with pytest.raises(FhirError, match="several types"):
        parse(registry.resource_types, [("patient", "1")], context)


def test_type_narrows_a_search_over_all_types(registry: Registry, context: Context) -> None:
    several = parse(registry.resource_types, [("_type", "Patient,Observation")], context)
    assert several.query.types == ("Patient", "Observation")
    one = parse(registry.resource_types, [("_type", "Patient"), ("family", "x")], context)
    assert one.query.types == ("Patient",)
    assert one.query.where == String("family", "starts", "x")
    with pytest.raises(FhirError, match="`Onzin` is not a resource type"):
        parse(registry.resource_types, [("_type", "Onzin")], context)
    with pytest.raises(FhirError) as caught:
        parse(("Patient",), [("_type", "Patient")], context)
    assert caught.value.category is Category.UNKNOWN_PARAMETER


_NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "name",
            "birthdate",
            "gender",
            "identifier",
            "organization",
            "_id",
            "_text",
            "_sort",
            "_include",
            "_filter",
            "_has:Observation:patient:code",
            "organization.name",
            "link.organization.partof.name",
            "_has:",
            "_list",
            "telecom",
            "phonetic",
            "_lastUpdated",
            "_count",
            "_elements",
            "_type",
            "deceased",
            "death-date",
            "_total",
        ]
    ),
    st.tuples(
        st.sampled_from(["name", "gender", "identifier", "birthdate", "organization", "_id", "_profile"]),
        st.sampled_from(
            ["missing", "exact", "in", "not", "of-type", "text", "below", "above", "identifier", "Patient", ""]
        ),
    ).map(":".join),
)
_VALUES = st.one_of(st.text(), st.text(alphabet="gtle0123456789-:.T+ZeE|,$\\ ", max_size=30))


@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=4), st.booleans())
@example([("birthdate", "0000")], False)
@example([("birthdate", "10000-01-01")], False)
@example([("name", "\ud800")], False)
@example([("_count", "1e9")], False)
def test_any_text_is_read_or_refused_and_nothing_else(
    context: Context, pairs: list[tuple[str, str]], lenient: bool
) -> None:
    for type_name in ("Patient", "Observation"):
        try:
            parse((type_name,), pairs, replace(context, lenient=lenient))
        except FhirError as error:
            assert error.category.status in (400, 422)  # noqa: PT017
