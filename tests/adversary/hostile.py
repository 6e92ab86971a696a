"""Requests that nobody in their right mind sends, made from a seed: paths, queries, headers and bodies.

Most of each request is right, so that it gets past the first check; some of it is not.
"""

import copy
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any
from urllib.parse import quote, quote_from_bytes

from fhir_server.representation import xml
from profiles import json as profiles_json
from profiles import registry as definitions
from tests.adversary.surface import Header

REGISTRY = definitions.load()
METHODS = ("GET", "GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")

TEXTS = (
    "", " ", "0", "1", "-1", "-0", "00", "1e9", "1e400", "-1e-400", "9" * 25, "0." + "0" * 30 + "1", "NaN", "inf", "0x10", "1_000", "１",
    "true", "null", "a", "a" * 70, "x" * 2100, "*", "%", "_", "\\", "\\\\", "'", '"', "''; drop table resource; --", "`", "$", "|", "||", "|||", "a|b|c|d",
    "\\|", "\\,", ",", ",,", "a,b,,c", "$$", "a$b", "$a", "http://x|y", "http://x|", "|y", "urn:uuid:1", "urn:oid:2.16", "#", "#x", "..", "../..", "/",
    "//", "Patient/", "Patient/1", "Patient/1/_history/1", "Nothing/1", "Patient/" + "a" * 65, "http://wijk.test/fhir/Patient/1", "http://[::1", "http://a b",
    "2026", "2026-13", "2026-02-30", "0000", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59.999Z", "10000-01-01", "2026-01-01T24:00", "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00+14:00", "2026-01-01T00:00:00-99:99", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "gt", "gt2026", "ap2026", "ap0001", "sa9999", "eb0001", "xx2026",
    "ge1|http://unitsofmeasure.org|kg", "5||", "5|http://unitsofmeasure.org|[", "5|http://unitsofmeasure.org|10*400", "ap1e308", "ap0", "-1e308", "1e-320|http://unitsofmeasure.org|mg", "5|http://unitsofmeasure.org|Cel",
    "50.9|5.9|5|km", "91|181", "-90|-180|0|km", "nan|nan", "1|2|1e308|km", "1|2|-5|m", "50.9|5.9|5|parsec", "é", "é", "ß", "İ", "ﬁ", "\u202e", "\ufeff", "\u0000", "\x1b[2J", "\U0001f600", "\ud7ff",
    "a-weight", "b-weight", "{}", "[]", "()", "((((", "name eq", 'name eq "x"', "${jndi:ldap://x}", "<script>", "&amp;", ";", "\n", "\r\nX: y", "\t",
)  # fmt: skip
FITTING = {
    "token": ("a", "http://test/codes|weight", "|a", "http://x|", "final", "true"),
    "string": ("a", "mrk", "É", "x y", "%"),
    "date": ("2026", "ge2026-01", "lt2026-01-01T10:00:00Z", "ap2026-01-01", "ne0001", "eb9999-12-31", "sa2026"),
    "number": ("1", "gt0", "1.00", "le1e3", "ap5", "-0.0", "1e-8"),
    "quantity": ("5", "gt5||kg", "le5.0|http://unitsofmeasure.org|g", "ap70|http://unitsofmeasure.org|kg", "ne1", "1e30|http://unitsofmeasure.org|mg"),
    "uri": ("http://test/form", "http://x/", "urn:oid:1.2", "x"),
    "reference": ("Patient/resident-a", "resident-a", "Organization/shop", "http://x/y", "#x", "http://wijk.test/fhir/Patient/resident-a"),
    "composite": ("weight$gt60", "http://test/codes|weight$5||kg", "a$b", "a$2026", "a$b$c"),
    "special": ("50.9|5.9|5|km", "50.9|5.9", "a", "-90|-180|20000|km"),
}  # fmt: skip
MODIFIERS = ("", "", "", ":missing", ":exact", ":contains", ":not", ":text", ":in", ":not-in", ":below", ":above", ":of-type", ":identifier", ":Patient", ":Nothing", ":", "::", ":x:y", ":iterate")  # fmt: skip
FILTER_WORDS = ("name", "family", "_id", "code", "birthdate", "subject", "patient.name", "a.b.c", "(", ")", "[", "]", "and", "or", "not", "eq", "ne", "co", "sw", "ew", "pr", "po", "ss", "sb", "in", "ni", "re", "gt", "ap", "true", "false", '"x"', '"', "2026", "1", "http://x|y", "value-quantity", "identifier", "near", "_has")  # fmt: skip
CONTROL = ("_count", "_sort", "_total", "_summary", "_elements", "_include", "_revinclude", "_include:iterate", "_revinclude:iterate", "_contained", "_containedType", "_type", "_cursor", "_format", "_pretty", "_since", "_at", "_list", "_filter", "_query", "_text", "_content", "_has", "_id", "_lastUpdated", "_tag", "_offset", "mode", "profile", "start", "end", "max")  # fmt: skip
HEADER_VALUES: dict[str, Sequence[str]] = {
    "content-type": ("application/fhir+json", "application/fhir+xml", "application/json-patch+json", "application/x-www-form-urlencoded", "text/plain", "", ";", "application/fhir+json; charset=latin-1", "application/fhir+json; fhirVersion=3.0", "application/fhir+json;charset", "multipart/form-data", "é", "a" * 9000, "application/fhir+json, application/fhir+xml"),
    "accept": ("*/*", "", "application/fhir+xml", "application/fhir+json;q=nan", "application/fhir+xml;q=-1", "text/html", "image/png", ";;;", ",", "*", "application/fhir+json;q=1e999", "application/fhir+json; fhirVersion=5.0", "é/é", "a/b," * 2000),
    "prefer": ("return=minimal", "return=OperationOutcome", "return=", "=", ",;,;", "handling=lenient", "respond-async", "return=representation; handling=lenient", "é"),
    "if-match": ('W/"1"', '"1"', "1", "*", "", 'W/"', 'W/"99999999999999999999"', 'W/"٣"', 'W/"1", W/"2"', "W/1"),
    "if-none-match": ('W/"1"', "*", "", '"', 'W/"' + "9" * 400 + '"', 'W/"1", W/"2"'),
    "if-none-exist": ("", "?", "identifier=x", "_id=a-weight", "é=é", "a=b&" * 300, "_cursor=x", "Patient?name=x", "%ff=%ff", "_filter=(", "name:missing=true"),
    "if-modified-since": ("yesterday", "Sat, 29 Oct 1994 19:43:31 GMT", "Sat, 29 Oct 99999 19:43:31 GMT", "0", "Sat, 29 Oct 1994 19:43:31 +9999"),
    "range": ("bytes=0-", "bytes=-1", "x"),
    "host": ("x", "x:99999", "[::1]:80", "a b", "", "é", "x/y", "x" * 300),
    "authorization": ("Bearer", "Bearer ", "Basic YTpi", "bearer \xe9", "Bearer a b", "Bearer " + "x" * 9000),
    "accept-encoding": ("gzip", "gzip;q=0", "br", "*"),
    "content-encoding": ("gzip", "br", "identity", "gzip, gzip"),
    "content-length": ("-1", "x", "99999999999999999999999", "١"),
    "x-request-id": ("a", "a b", "é", "x" * 200),
    "x-security-context": ("Patient/1", "x", "é", ""),
    "x-forwarded-host": ("evil.test",),
    "transfer-encoding": ("chunked",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raw:
    """A request in bytes."""

    method: str
    target: bytes
    headers: tuple[Header, ...]
    body: bytes


class Hostility:
    """Makes requests around `seeds`, valid resources of which those under `places` are stored."""

    def __init__(self, seed: int, seeds: Sequence[dict[str, Any]]) -> None:
        self._random = Random(seed)
        self._seeds = seeds
        self._types = REGISTRY.resource_types
        self._ids = [(one["resourceType"], one["id"]) for one in seeds]

    def request(self) -> Raw:
        r = self._random
        make = r.choice((self._search, self._search, self._search, self._read, self._write, self._write, self._patch, self._bundle, self._operation, self._junk))  # fmt: skip
        method, target, headers, body = make()
        extra = [
            (name, r.choice(HEADER_VALUES[name])) for name in r.sample(sorted(HEADER_VALUES), r.choice((0, 0, 0, 1, 2)))
        ]
        # A header that is hostile takes the place of one that is not.
        named = {**dict(headers), **dict(extra)}
        raw = tuple((name.encode(), value.encode("utf-8", "replace")) for name, value in named.items())
        if named.get("content-encoding") == "gzip" and r.random() < 0.5:
            body = gzip.compress(body)[: r.choice((None, 10, -3))]
        return Raw(method, b"/fhir" + target, raw, body)

    # --- what is asked -----------------------------------------------------------------------------------------------

    def _type(self) -> str:
        return self._random.choice(
            (self._random.choice(self._types), self._random.choice(self._ids)[0], "Observation", "Patient")
        )

    def _place(self) -> tuple[str, str]:
        r = self._random
        return r.choice(
            (
                r.choice(self._ids),
                r.choice(self._ids),
                (self._type(), r.choice(TEXTS)),
                (r.choice(("Nothing", "Resource", "patient", "Element")), "1"),
            )
        )

    def _text(self) -> str:
        r = self._random
        text = r.choice(TEXTS)
        if r.random() < 0.1:
            text += r.choice(TEXTS)
        if r.random() < 0.03:
            text = "".join(
                chr(r.choice((r.randrange(32, 127), r.randrange(0, 0x800), r.randrange(0x10000, 0x10FFFF))))
                for _ in range(20)
            )
        return text

    def _encoded(self, text: str) -> str:
        r = self._random
        if r.random() < 0.02:
            return quote_from_bytes(bytes(r.randrange(256) for _ in range(6)))
        return quote(text.encode("utf-8", "surrogatepass"), safe="" if r.random() < 0.3 else ":,|$*/")

    def _pairs(self, type: str) -> str:
        r = self._random
        pairs = [self._pair(type) for _ in range(r.choice((1, 1, 1, 1, 2, 6)))]
        return "&".join(f"{self._encoded(name)}={self._encoded(value)}" for name, value in pairs)

    def _pair(self, type: str) -> tuple[str, str]:
        r = self._random
        way = r.random()
        if way < 0.45:
            name = self._name(type)
            modifier = r.choice(MODIFIERS) if r.random() < 0.3 else ""
            return name + modifier, ",".join(self._value(type, name) for _ in range(r.choice((1, 1, 1, 2))))
        if way < 0.6:
            return self._chain(type)
        if way < 0.68:
            return "_filter", " ".join(r.choice(FILTER_WORDS) for _ in range(r.choice((1, 3, 3, 5, 9, 40))))
        if way < 0.78:
            return r.choice(("_include", "_revinclude", "_include:iterate", "_revinclude:iterate")), r.choice(("*", *(f"{type}:{code}" for code in _references(type, "Patient")[:3]), f"{self._type()}:{self._name(type)}", f"{type}:{self._name(type)}", f"{type}:*", "*:*", f"{type}:{self._name(type)}:{self._type()}", self._text()))  # fmt: skip
        if way < 0.86:
            return "_sort", ",".join(r.choice(("", "-", "--")) + r.choice((self._name(type), "_id", "_lastUpdated", "_score", self._text())) for _ in range(r.choice((1, 2, 3, 12))))  # fmt: skip
        return r.choice(CONTROL) + r.choice(MODIFIERS[:6]), self._text()

    def _value(self, type: str, name: str = "") -> str:
        r = self._random
        parameter = REGISTRY.search_parameters(type).get(name) if type in self._types else None
        if parameter is not None and r.random() < 0.75:
            return r.choice(FITTING.get(parameter.type, TEXTS))
        return "/".join(self._place()) if r.random() < 0.2 else self._text()

    def _name(self, type: str) -> str:
        return self._random.choice(_names(type) if type in self._types else ("x",))

    def _chain(self, type: str) -> tuple[str, str]:
        """Mostly links that exist, and a value that fits what stands at their end."""
        r = self._random
        text = ""
        for _ in range(r.choice((1, 1, 1, 2, 3, 12))):
            other = self._type()
            if r.random() < 0.3:
                back = _references(other, type)
                text += f"_has:{other}:{r.choice(back) if back and r.random() < 0.9 else self._name(other)}:"
                type = other
                continue
            forward = _references(type, other)
            if forward and r.random() < 0.9:
                text += f"{r.choice(forward)}:{other}."
                type = other
            else:
                text += f"{self._name(type)}{r.choice(('', ':Patient', ':' + other))}."
        name = self._name(type)
        return text + name + (r.choice(MODIFIERS) if r.random() < 0.3 else ""), self._value(type, name)

    def _search(self) -> Any:
        r = self._random
        type = self._type()
        path = r.choice(
            (
                f"/{type}",
                f"/{type}",
                f"/{type}",
                "",
                "/{}/{}/".format(*map(self._encoded, self._place())) + r.choice((type, "*", "x")),
            )
        )
        query = self._pairs(type)
        if r.random() < 0.25:
            return (
                "POST",
                f"{path}/_search".encode(),
                [("content-type", "application/x-www-form-urlencoded")],
                query.encode(),
            )
        return "GET", f"{path}?{query}".encode(), [], b""

    def _read(self) -> Any:
        r = self._random
        type, id = self._place()
        suffix = r.choice(
            (
                "",
                "",
                "/_history",
                f"/_history/{self._encoded(self._text())}",
                "/_history/1",
                "/_history?" + self._pairs(type),
                "?" + self._pairs(type),
            )
        )
        return r.choice(("GET", "GET", "HEAD")), f"/{type}/{self._encoded(id)}{suffix}".encode(), [], b""

    # --- what is sent ------------------------------------------------------------------------------------------------

    def _write(self) -> Any:
        r = self._random
        made = copy.deepcopy(r.choice(self._seeds))
        type, id = made["resourceType"], made["id"]
        method, path = r.choice((("POST", f"/{type}"), ("PUT", f"/{type}/{id}"), ("PUT", f"/{type}?{self._pairs(type)}"), ("POST", f"/{type}/$validate"), ("POST", f"/{type}/{id}/$validate?mode=update")))  # fmt: skip
        content_type, body = self._body(made)
        return method, path.encode(), [("content-type", content_type)], body

    def _body(self, made: dict[str, Any]) -> tuple[str, bytes]:
        r = self._random
        if r.random() < 0.25:
            return "application/fhir+xml", self._torn(_xml(made))
        for _ in range(r.choice((0, 0, 1, 1, 2, 4))):
            self._mutate(made)
        body = json.dumps(made, ensure_ascii=r.random() < 0.5).encode("utf-8", "surrogatepass")
        return "application/fhir+json", self._torn(body) if r.random() < 0.15 else body

    def _mutate(self, value: Any) -> None:
        r = self._random
        while isinstance(value, (dict, list)) and value:
            key = r.choice(list(value) if isinstance(value, dict) else range(len(value)))
            below = value[key]
            if isinstance(below, (dict, list)) and below and r.random() < 0.7:
                value = below
                continue
            change = r.random()
            if change < 0.15:
                del value[key]
            elif change < 0.25 and isinstance(value, dict):
                value[
                    r.choice(
                        (
                            f"_{key}",
                            f"{key}x",
                            "extension",
                            "modifierExtension",
                            "contained",
                            "id",
                            "resourceType",
                            "valueString",
                            "fhir_comments",
                            "",
                            "é",
                        )
                    )
                ] = below
            elif change < 0.35 and isinstance(value, dict):
                value[f"_{key}"] = r.choice(
                    (None, [], {}, [None], {"id": "x"}, [{"extension": [{"url": "http://x", "valueCode": "y"}]}], "x")
                )
            elif change < 0.45:
                value[key] = [below, below] if r.random() < 0.5 else [[below]]
            elif change < 0.55:
                value[key] = {"x": below}
            else:
                value[key] = r.choice((None, True, 0, -1, 10**30, 1.5, [], {}, [None], [[]], _deep(60), _deep(5), self._text(), self._text(), self._text(), [self._text()], {"reference": self._text()}, {"reference": "#a"}, [{"reference": "#a"}], {"contentReference": 1}))  # fmt: skip
            return

    def _torn(self, body: bytes) -> bytes:
        r = self._random
        data = bytearray(body)
        for _ in range(r.choice((0, 1, 1, 3))):
            at = r.randrange(len(data) + 1)
            way = r.randrange(5)
            if way == 0:
                data[at : at + 1] = bytes((r.randrange(256),))
            elif way == 1:
                del data[at : at + r.choice((1, 5, 100_000))]
            elif way == 2:
                data[at:at] = data[max(0, at - 20) : at]
            elif way == 3:
                data[at:at] = r.choice((b"1e999999999", b"NaN", b"\x00", b"\xff\xfe", b"\\ud800", b"<!DOCTYPE x>", b"<!--", b"<?x ?>", b"]]>", b"&x;", b'"', b"{", b"[" * 2000, b"<a>" * 300, b"<extension url='x'>", b"<div>"))  # fmt: skip
            else:
                data = bytearray(
                    bytes(data).replace(
                        r.choice((b"value", b"Patient", b'":', b"http://hl7.org/fhir", b">")),
                        r.choice((b"", b"x", b" ", b"value")),
                    )
                )
        return bytes(data)

    def _patch(self) -> Any:
        r = self._random
        type, id = self._place()
        path = r.choice((f"/{type}/{self._encoded(id)}", f"/{type}?{self._pairs(type)}"))
        if r.random() < 0.5:
            operations: Any = [self._json_operation() for _ in range(r.choice((0, 1, 1, 2, 5)))]
            if r.random() < 0.2:
                self._mutate(operations)
            body = json.dumps(operations).encode()
            return (
                "PATCH",
                path.encode(),
                [("content-type", "application/json-patch+json")],
                self._torn(body) if r.random() < 0.1 else body,
            )
        return "PATCH", path.encode(), [], json.dumps(self._fhirpath_patch(type)).encode()

    def _json_operation(self) -> dict[str, Any]:
        r = self._random
        pointer = r.choice(
            (
                "/id",
                "/language",
                "/text/div",
                "/meta/tag/-",
                "/meta/tag/0",
                "/meta/tag/99",
                "/meta/tag/-1",
                "/name/0/family",
                "",
                "/",
                "//",
                "x",
                "/~2",
                "/subject",
                "/code/coding/0/code",
                "/extension/-",
                "/resourceType",
                "/meta",
                "/é",
                "/a/b/c",
            )
        )
        value = r.choice((None, "x", 1, [], {}, _deep(40), self._text(), {"reference": "Patient/x"}, 1.5, 10**40))
        return {"op": r.choice(("add", "remove", "replace", "move", "copy", "test", "x")), "path": pointer, **({"value": value} if r.random() < 0.8 else {}), **({"from": r.choice(("/id", "/meta", "", "/meta/tag", 1))} if r.random() < 0.4 else {})}  # fmt: skip

    def _fhirpath_patch(self, type: str) -> dict[str, Any]:
        r = self._random
        paths = ("Observation.status", f"{type}.language", f"{type}", "", "%resource", "$this", f"{type}.where(", f"{type}.descendants()", f"{type}.meta.tag.where(code='x')", f"{type}.repeat(children())", "1 div 0", "(" * 300, "iif(true, 1, 2)", f"{type}.name[99999999999]", "'x'", "{}", f"{type}.contained", "resolve()", f"{type}.text.div", "a" * 5000, "Patient.name.select(given.join('x'))", "@2020", "today()", "now() + 1 year")  # fmt: skip
        parts: list[Any] = [{"name": "type", "valueCode": r.choice(("add", "insert", "delete", "replace", "move", "x"))}, {"name": "path", "valueString": r.choice(paths)}, {"name": "name", "valueString": r.choice(("language", "status", "x", "id", "name", ""))}, {"name": "value", r.choice(("valueString", "valueCode", "valueInteger", "valueHumanName", "valueX", "resource")): r.choice(("x", 1, {"family": "x"}, None, [], _deep(30)))}, {"name": "index", "valueInteger": r.choice((0, 1, -1, 10**12, "x"))}, {"name": "source", "valueInteger": 0}, {"name": "destination", "valueInteger": r.choice((0, 5, -2))}]  # fmt: skip
        made: dict[str, Any] = {"resourceType": "Parameters", "parameter": []}
        for _ in range(r.choice((1, 1, 2, 3))):
            made["parameter"].append({"name": "operation", "part": [p for p in parts if r.random() < 0.9]})
            parts[0] = {"name": "type", "valueCode": r.choice(("add", "insert", "delete", "replace", "move"))}
            parts[1] = {"name": "path", "valueString": r.choice(paths)}
        if r.random() < 0.2:
            self._mutate(made)
        return made

    def _bundle(self) -> Any:
        r = self._random
        entries: list[Any] = []
        for n in range(r.choice((0, 1, 2, 2, 4))):
            method, target, _headers, body = r.choice(
                (self._search, self._read, self._write, self._write, self._patch, self._operation)
            )()
            entry: dict[str, Any] = {
                "fullUrl": r.choice((f"urn:uuid:{n}", self._text(), "http://wijk.test/fhir/Patient/1")),
                "request": {"method": method, "url": target.decode("ascii", "replace").lstrip("/")},
            }
            try:
                entry["resource"] = json.loads(body)
            except ValueError:
                if method != "GET":
                    entry["resource"] = {
                        "resourceType": "Patient",
                        "link": [
                            {
                                "other": {
                                    "reference": r.choice(
                                        (
                                            f"urn:uuid:{n}",
                                            "Patient?name=x",
                                            "Patient?",
                                            f"Patient?{self._pairs('Patient')}",
                                            "Nothing?x=y",
                                        )
                                    )
                                },
                                "type": "refer",
                            }
                        ],
                    }
            for condition in ("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince"):
                if r.random() < 0.1:
                    entry["request"][condition] = self._text()
            entries.append(entry)
        made: dict[str, Any] = {
            "resourceType": "Bundle",
            "type": r.choice(("batch", "transaction", "transaction", "collection", "x")),
            "entry": entries,
        }
        if r.random() < 0.2:
            self._mutate(made)
        return (
            "POST",
            b"",
            [("content-type", "application/fhir+json")],
            json.dumps(made).encode("utf-8", "surrogatepass"),
        )

    def _operation(self) -> Any:
        r = self._random
        type, id = self._place()
        name = r.choice(("$everything", "$validate", "$meta", "$meta-add", "$meta-delete", "$lastn", "$x", "$"))
        path = r.choice(
            (
                f"/{type}/{self._encoded(id)}/{name}",
                f"/{type}/{name}",
                f"/{name}",
                f"/{type}/{self._encoded(id)}/_history/1/{name}",
            )
        )
        if r.random() < 0.4:
            return "GET", f"{path}?{self._pairs(type)}".encode(), [], b""
        made: Any = {"resourceType": "Parameters", "parameter": [r.choice(({"name": "meta", "valueMeta": {"tag": [{"system": "x", "code": "y"}]}}, {"name": "resource", "resource": copy.deepcopy(r.choice(self._seeds))}, {"name": "mode", "valueCode": self._text()}, {"name": "patient", "valueString": self._text()}, {"name": "max", "valueInteger": 10**12}, {"name": "_count", "valueInteger": -1}, {"name": "start", "valueDate": self._text()}, {"name": "meta", "valueMeta": {"profile": "x", "tag": {}}}))]}  # fmt: skip
        if r.random() < 0.6:
            self._mutate(made)
        return (
            "POST",
            path.encode(),
            [("content-type", "application/fhir+json")],
            json.dumps(made).encode("utf-8", "surrogatepass"),
        )

    def _junk(self) -> Any:
        r = self._random
        parts = [
            r.choice(
                (
                    self._encoded(self._text()),
                    self._type(),
                    "_history",
                    "_search",
                    "metadata",
                    "$meta",
                    "%00",
                    "%2e%2e",
                    "%ff",
                    "..",
                    "1",
                )
            )
            for _ in range(r.choice((0, 1, 2, 3, 5, 12)))
        ]
        query = r.choice(
            (
                b"",
                b"?" + bytes(r.randrange(33, 127) for _ in range(12)),
                b"?a=b" * 400,
                b"?&&&=&",
                b"?" + b"&".join(b"a=%d" % n for n in range(600)),
                b"?" + "é=é".encode(),
            )
        )
        return r.choice(METHODS), "".join("/" + part for part in parts).encode("ascii", "replace") + query, [], r.choice((b"", b"x", b"{}", b"[" * 5000, b'{"resourceType":"Patient"}', bytes(r.randrange(256) for _ in range(40))))  # fmt: skip


def _deep(levels: int) -> Any:
    made: Any = "x"
    for _ in range(levels):
        made = {"extension": [made]}
    return made


@cache
def _references(type: str, target: str) -> tuple[str, ...]:
    """Parameters of the type that may lead to the target."""
    if type not in REGISTRY.resource_types or target not in REGISTRY.resource_types:
        return ()
    return tuple(
        code
        for code, one in sorted(REGISTRY.search_parameters(type).items())
        if one.type == "reference" and (not one.target or target in one.target or "Resource" in one.target)
    )


@cache
def _names(type: str) -> tuple[str, ...]:
    return tuple(sorted(REGISTRY.search_parameters(type)))


def _xml(resource: dict[str, Any]) -> bytes:
    return xml.serialize(profiles_json.parse(json.dumps(resource).encode()), REGISTRY)
