"""JSON is read strictly and written back with every digit. https://hl7.org/fhir/R4/json.html"""

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.json import DEPTH_MAX, DIGITS_MAX, EXPONENT_MAX, LOCATED_BYTES_MAX, JsonError, dumps, parse

# What XML and JSON can both carry, and JSON alone: everything but NUL and surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBERS = st.integers(-(10**20), 10**20) | st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=20),
    st.integers(-30, 30),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=5)


def exact(value: Any) -> Any:
    """The value with decimals as their digits and exponent, so that 1.0 and 1.00 differ."""
    if isinstance(value, Decimal):
        return value.as_tuple()
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    return [exact(inner) for inner in value] if isinstance(value, list) else value


def attempt(data: bytes) -> tuple[Any, JsonError | None]:
    try:
        return parse(data), None
    except JsonError as error:
        return None, error


def refusal(data: bytes, **limits: int) -> JsonError:
    with pytest.raises(JsonError) as caught:
        parse(data, **limits)
    return caught.value


@given(OBJECTS)
def test_what_is_written_reads_back_the_same_to_the_last_digit(value: dict[str, Any]) -> None:
    # An integer with an exponent reads back as the decimal it was; a decimal without point or exponent as an integer.
    once = parse(dumps(value))
    assert once == value
    assert exact(parse(dumps(once))) == exact(once)
    assert exact(parse(dumps(once, pretty=True))) == exact(once)


@given(OBJECTS)
def test_the_standard_library_reads_what_we_write(value: dict[str, Any]) -> None:
    assert json.loads(dumps(value), parse_float=Decimal) == value


@given(OBJECTS, st.sampled_from([None, 2]), st.booleans())
def test_any_spelling_of_the_same_json_reads_the_same(
    value: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    """Escapes (`\\u00e9`, surrogate pairs), indentation and blanks around colons make no difference."""
    as_floats = json.loads(dumps(value))
    spelled = json.dumps(as_floats, indent=indent, ensure_ascii=ascii_only, separators=(" , ", " : "))
    if any(abs(number) > 1e300 for number in numbers(as_floats)):
        return
    assert json.loads(dumps(parse(spelled.encode()))) == as_floats


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in numbers(inner)]
    return [value] if isinstance(value, float) else []


@given(st.binary(max_size=40))
def test_any_bytes_give_an_object_or_a_json_error(data: bytes) -> None:
    value, error = attempt(data)
    assert isinstance(value, dict) if error is None else error.diagnostics


@given(st.text('{}[]":,\\ud8e0 tnfa1.-Ee+\n', max_size=30))
def test_any_arrangement_of_json_signs_gives_an_object_or_a_json_error(text: str) -> None:
    value, error = attempt(text.encode())
    if error is None:
        assert json.loads(text, parse_float=Decimal) == value
    else:
        assert error.diagnostics


@pytest.mark.parametrize(
    "digits", ["1.00", "0.0", "-0.0", "185", "1E+3", "0E-10", "3.14159265358979323846264338327950288"]
)
def test_decimals_keep_the_digits_they_were_written_with(digits: str) -> None:
    """https://hl7.org/fhir/R4/datatypes.html#decimal: the precision is significant and shall be kept."""
    data = f'{{"value":{digits}}}'.encode()
    assert dumps(parse(data)) == data


def test_text_is_written_as_utf_8_and_not_escaped() -> None:
    assert dumps({"a": "één 😀 \u2028"}) == '{"a":"één 😀 \u2028"}'.encode()
    assert parse(b'{"a":"\\u00e9\\ud83d\\ude00\\/\\""}') == {"a": 'é😀/"'}


def test_pretty_json_is_indented_and_keeps_its_digits() -> None:
    assert dumps({"a": [Decimal("1.00")]}, pretty=True) == b'{\n  "a": [\n    1.00\n  ]\n}'


def test_a_property_that_occurs_twice_is_refused_where_it_stands() -> None:
    """https://hl7.org/fhir/R4/json.html: property names SHALL be unique."""
    error = refusal(b'{"resourceType":"Patient","contact":[{},{"name":{"text":"a","use":"usual","text":"b"}}]}')
    assert error.diagnostics == "property `text` occurs twice in one object"
    assert error.expression == "contact[1].name"


def test_a_property_hides_behind_no_spelling() -> None:
    assert "`a` occurs twice" in refusal(b'{"a":1,"\\u0061":2}').diagnostics
    assert "`a` occurs twice" in refusal(b'{"a" :1,"b":"\\":\\"a\\"", "a"\n:2}').diagnostics
    assert parse(b'{"a":{"a":[{"a":1},{"a":2}]},"b":"a\\":1"}')["b"] == 'a":1'


@given(OBJECTS, TEXT, VALUES, VALUES)
def test_a_duplicate_is_found_at_the_end_of_any_object(rest: dict[str, Any], name: str, one: Any, two: Any) -> None:
    inner = "".join(f"{json.dumps(key)}:{dumps(value).decode()}," for key, value in rest.items() if key != name)
    text = f'{{"x":[{{{inner}{json.dumps(name)}:{dumps(one).decode()},{json.dumps(name)}:{dumps(two).decode()}}}]}}'
    error = refusal(text.encode())
    assert "occurs twice" in error.diagnostics
    assert error.expression == "x[0]"


@pytest.mark.parametrize(
    "data, rule, expression",
    [
        (b'{"a":{"b":1e999999999}}', "has an exponent beyond ±307", "a.b"),
        (b'{"a":1e-999999999}', "has an exponent beyond ±307", "a"),
        (b'{"a":0e999999999}', "has an exponent beyond ±307", "a"),
        (b'{"a":1e99999999999999999999}', "has an exponent beyond ±307", "a"),
        (b'{"a":[1,1e308]}', "has an exponent beyond ±307", "a[1]"),
        (b'{"a":[' + b"9" * 65 + b"]}", "number of 65 characters", "a[0]"),
        (b'{"a":' + b"9" * 100_000 + b"}", "number of 100000 characters", "a"),
        (b'{"a":0.' + b"0" * 70 + b"1}", "number of 73 characters", "a"),
        (b'{"a":NaN}', "`NaN` is not a json number", "a"),
        (b'{"a":-Infinity}', "`-Infinity` is not a json number", "a"),
        (b'{"a":{"b":"x\\u0000"}}', "holds the character NUL", "a.b"),
        (b'{"a":{"\\u0000":1}}', "holds the character NUL", "a"),
        (b'{"a":"\\ud800"}', "half of a surrogate pair", "a"),
        (b'{"a":["","\\udc00\\ud800"]}', "half of a surrogate pair", "a[1]"),
        (b'{"\\uD800":1}', "half of a surrogate pair", ""),
    ],
)
def test_values_that_no_store_should_hold_are_refused_where_they_stand(data: bytes, rule: str, expression: str) -> None:
    error = refusal(data)
    assert rule in error.diagnostics
    assert error.expression == expression


@pytest.mark.parametrize(
    "data, rule",
    [
        (b"", "expecting value"),
        (b" ", "expecting value"),
        (b'{"a":1', "delimiter"),
        (b'{"a":1} x', "extra data"),
        (b'{"a":1}{}', "extra data"),
        (b'{"a":1}\x00', "extra data"),
        (b'{"a":1,}', "property name"),
        (b"{'a':1}", "property name"),
        (b'{"a":01}', "delimiter"),
        (b'{"a":.5}', "expecting value"),
        (b'{"a":+1}', "expecting value"),
        (b'{"a":1.}', "delimiter"),
        (b'{"a":"\x00"}', "invalid control character"),
        (b'{"a":"tab\there"}', "invalid control character"),
        (b'{"a":"\\x"}', "escape"),
        (b'{"a":/*c*/1}', "expecting value"),
        (b'{"a":"\xff"}', "not valid utf-8 (byte 6)"),
        (b'{"a":"\xed\xa0\x80"}', "not valid utf-8"),
        (b'{"a":"\xc0\x80"}', "not valid utf-8"),
        ('{"a":1}'.encode("utf-16"), "not valid utf-8"),
        (b"[]", "not a json object"),
        (b'"x"', "not a json object"),
        (b"null", "not a json object"),
    ],
)
def test_malformed_json_is_refused_with_the_place(data: bytes, rule: str) -> None:
    assert rule in refusal(data).diagnostics


def test_one_byte_order_mark_is_skipped() -> None:
    """RFC 8259 section 8.1: parsers may ignore the presence of a byte order mark."""
    assert parse(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert "malformed" in refusal(b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}').diagnostics


def nested(depth: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return opening * (depth - 1) + b"{}" + closing * (depth - 1)


def test_depth_is_limited_exactly() -> None:
    assert parse(nested(DEPTH_MAX))
    error = refusal(nested(DEPTH_MAX + 1))
    assert error.diagnostics == f"objects and arrays are nested deeper than {DEPTH_MAX}"
    assert error.expression.startswith("a.a.a")
    assert parse(nested(5), depth_max=5)
    assert refusal(nested(6), depth_max=5).expression == "a.a.a.a.a"


def test_brackets_in_text_are_no_depth() -> None:
    assert parse(b'{"a":"' + b"[{" * 1000 + b'"}')


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_depth_bomb_is_refused(depth: int) -> None:
    assert "nested deeper" in refusal(b'{"a":' * depth + b"1" + b"}" * depth).diagnostics
    assert "nested deeper" in refusal(b'{"a":' + b"[" * depth + b"]" * depth + b"}").diagnostics
    assert refusal(b"[" * depth).diagnostics


def test_long_names_and_deep_places_are_cut_in_the_location() -> None:
    name = b"n" * 5000
    error = refusal(b'{"' + name + b'":{"x":1,"x":2}}')
    assert error.expression == "n" * 40
    assert "n" * 41 not in refusal(b'{"' + name + b'":1,"' + name + b'":2}').diagnostics
    assert len(refusal(nested(DEPTH_MAX + 1)).expression) < 100


def test_a_large_refused_body_costs_no_search_for_the_place() -> None:
    body = b'{"a":[' + b'{"b":1},' * (LOCATED_BYTES_MAX // 8) + b'{"c":1,"c":2}]}'
    started = time.perf_counter()
    error = refusal(body)
    assert "`c` occurs twice" in error.diagnostics
    assert error.expression == ""
    assert time.perf_counter() - started < 2


def test_the_limits_leave_room_for_what_fhir_asks() -> None:
    """At least 18 digits (https://hl7.org/fhir/R4/datatypes.html#decimal)."""
    assert parse(f'{{"a":{"1" * DIGITS_MAX},"b":1e{EXPONENT_MAX},"c":0.{"0" * 17}1}}'.encode())


def test_every_official_example_reads_and_writes_unchanged(definition_packages: Path) -> None:
    """One in ten of the official R4 examples, against the standard library."""
    files = sorted((definition_packages / "hl7.fhir.r4.examples-4.0.1" / "package").glob("[A-U]*.json"))[::10]
    assert len(files) > 300
    for file in files:
        data = file.read_bytes()
        value = parse(data)
        assert value == json.loads(data, parse_float=Decimal), file.name
        assert exact(parse(dumps(value))) == exact(value), file.name
