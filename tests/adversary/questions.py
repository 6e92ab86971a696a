"""Requests that might tell two servers apart, for every route: hypothesis strategies.

A target or body may hold `{made0}` (an id that the server made earlier in the run), `{time0}` (a moment in the history
of both), `{cursor}` (the last page cursor that this requester got) and `{foreign}` (one that somebody else got): what
stands for them differs from server to server.
"""

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from profiles import registry as definitions
from tests.adversary.dossiers import PRIVACY, RENUMBERED, SOCIAL, STEPS, VITAL, A, B, mark, observation, ref, resource
from tests.adversary.facts import CRITERIA, CRITERIA_OF, LINKS, Link
from tests.adversary.surface import Ask
from tests.adversary.worlds import CONSENT_IDS, PLACES, TYPES

REGISTRY = definitions.load()
FORM = (("content-type", "application/x-www-form-urlencoded"),)
JSON_PATCH = (("content-type", "application/json-patch+json"),)
VERSIONS = Counter((step.change.resource["resourceType"], step.change.resource["id"]) for step in STEPS)
MADE = ("{made0}", "{made1}", "{made2}")

places = st.sampled_from(PLACES)
numbered = st.sampled_from([place for place in PLACES if place[1] not in RENUMBERED])
several_versions = numbered.filter(lambda place: VERSIONS[place] > 1)
types = st.sampled_from(TYPES)
absent = st.sampled_from(
    [("Observation", "absent"), ("Patient", "absent"), ("Consent", "absent"), ("Observation", "b-")]
)
instances = st.one_of(places, absent, st.sampled_from([("Observation", id) for id in MADE]))
marks = st.sampled_from([mark(id) for _, id in PLACES])
moments = st.sampled_from(["{time0}", "{time3}", "{time9}", "{time14}", "{time25}", "2020", "2099-01-01"])
versions = st.sampled_from(["1", "2", "3", "99"])

_VALUES: Mapping[str, st.SearchStrategy[str]] = {
    "token": st.one_of(
        marks.map(lambda text: f"http://test/id|{text}"),
        marks,
        st.sampled_from(
            ["weight", "http://test/codes|weight", "note", "both", "moved", "turn", "vital-signs", "final", "active", "completed"]
        ),
    ),
    "string": st.one_of(marks, st.sampled_from(["mrk", "mrk-b", "Open", "shop", "x"])),
    "date": st.one_of(st.sampled_from(["ge2020", "lt2026-03-05", "2026-01-01", "ne2026-03-04"]), moments.map("ge{}".format)),
    "number": st.sampled_from(["1", "gt0"]),
    "quantity": st.sampled_from(["gt60", "lt68", "68||kg", "ge70|http://unitsofmeasure.org|kg"]),
    "uri": st.sampled_from(["http://test/form", "http://x"]),
    "reference": instances.map(lambda place: f"{place[0]}/{place[1]}"),
    "composite": st.sampled_from(["http://test/codes|weight$gt60", "weight$lt70"]),
}  # fmt: skip
_MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "token": ("", "", ":not", ":text"),
    "string": ("", ":exact", ":contains"),
    "reference": ("", "", ":identifier"),
}


@cache
def parameters(type: str, kind: str = "") -> tuple[str, ...]:
    found = REGISTRY.search_parameters(type)
    return tuple(
        sorted(
            code
            for code, one in found.items()
            if one.expression and (one.type == kind if kind else one.type in _VALUES)
        )
    )


@cache
def targets(type: str, code: str) -> tuple[str, ...]:
    stated = REGISTRY.search_parameters(type)[code].target
    return tuple(name for name in TYPES if not stated or "Resource" in stated or name in stated)


@cache
def referrers(type: str) -> tuple[tuple[str, str], ...]:
    """(source, parameter) pairs that lead to the type."""
    return tuple(
        (source, code) for source in TYPES for code in parameters(source, "reference") if type in targets(source, code)
    )


@cache
def _links(type: str) -> tuple[tuple[bool, Link], ...]:
    """The links from the type (True) and to it (False), as far as they lead to or come from what is stored."""
    found = [(True, link) for link in LINKS if link.source[0] == type and link.target in PLACES]
    return tuple(found + [(False, link) for link in LINKS if link.target[0] == type])


@st.composite
def criterion(draw: st.DrawFn, type: str, depth: int = 0) -> tuple[str, str]:
    """One `name=value` on a type, perhaps by way of others; more often than not one that something in the dossiers meets."""
    if draw(st.integers(0, 2)):
        links = _links(type) if depth < 3 else ()
        if links and draw(st.booleans()):
            forward, link = draw(st.sampled_from(links))
            place = link.target if forward else link.source
            other = place[0]
            # What holds of the very resource at the other end, or a question that goes on from there.
            name, value = draw(
                st.sampled_from(CRITERIA_OF[place]) if draw(st.booleans()) else criterion(other, depth + 1)
            )
            return (f"{link.param}:{other}.{name}" if forward else f"_has:{other}:{link.param}:{name}"), value
        if CRITERIA.get(type):
            name, value = draw(st.sampled_from(CRITERIA[type]))
            negated = REGISTRY.search_parameters(type)[name].type == "token" and draw(st.integers(0, 9)) == 0
            return (f"{name}:not" if negated and name != "_id" else name), value
    ways = ["plain"] * 3 + (["chain", "has"] if depth < 3 else []) + (["id", "list", "missing", "tag"])
    way = draw(st.sampled_from(ways))
    references = parameters(type, "reference")
    if way == "chain" and references:
        code = draw(st.sampled_from(references))
        aims = targets(type, code)
        if aims:
            target = draw(st.sampled_from(aims))
            name, value = draw(criterion(target, depth + 1))
            return f"{code}:{target}.{name}" if draw(st.booleans()) or len(aims) > 1 else f"{code}.{name}", value
    if way == "has" and referrers(type):
        source, code = draw(st.sampled_from(referrers(type)))
        name, value = draw(criterion(source, depth + 1))
        return f"_has:{source}:{code}:{name}", value
    if way == "list":
        return "_list", draw(st.sampled_from(["a-list", "b-list", "absent"]))
    if way == "id":
        return "_id", ",".join(draw(st.lists(instances.map(lambda place: place[1]), min_size=1, max_size=4)))
    if way == "tag":
        if draw(st.booleans()):
            return "_security", draw(st.sampled_from(["R", "V", "MH", "wijk", "urn:wijk:labels|wijk"]))
        return "_tag", draw(marks)
    code = draw(st.sampled_from(parameters(type)))
    if way == "missing":
        return f"{code}:missing", draw(st.sampled_from(["true", "false"]))
    kind = REGISTRY.search_parameters(type)[code].type
    if code in ("_id", "_lastUpdated"):
        return code, draw(_VALUES["date"]) if code == "_lastUpdated" else draw(instances)[1]
    modifier = draw(st.sampled_from(_MODIFIERS.get(kind, ("",))))
    return code + modifier, ",".join(draw(st.lists(_VALUES[kind], min_size=1, max_size=2)))


@st.composite
def filter_expression(draw: st.DrawFn, type: str) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        name, value = draw(criterion(type, 2))
        path = name.partition(":")[0] if not name.startswith("_has") else "_id"
        operator = draw(st.sampled_from(["eq", "ne", "co", "sw", "pr", "ge"]))
        parts.append(f"{path} pr true" if operator == "pr" else f'{path} {operator} "{value}"')
    if draw(st.booleans()):
        references = parameters(type, "reference")
        if references:
            code = draw(st.sampled_from(references))
            aims = targets(type, code)
            if aims:
                inner = draw(st.sampled_from(parameters(draw(st.sampled_from(aims)), "token") or ("_id",)))
                parts.append(f'{code}.{inner} eq "{draw(marks)}"')
    joined = draw(st.sampled_from([" and ", " or "])).join(parts)
    return f"not ({joined})" if draw(st.booleans()) else joined


@st.composite
def shape(draw: st.DrawFn, type: str) -> list[tuple[str, str]]:
    """How the answer is to look: includes, order, totals, pages."""
    pairs: list[tuple[str, str]] = []
    references = parameters(type, "reference")
    for _ in range(draw(st.integers(0, 2))):
        choice = draw(st.sampled_from(["include", "revinclude", "sort", "total", "count", "summary", "elements"]))
        iterate = draw(st.sampled_from(["", "", ":iterate"]))
        if choice in ("include", "revinclude") and draw(st.booleans()) and _links(type):
            # Along a link that is there.
            forward, link = draw(st.sampled_from(_links(type)))
            pairs.append((("_include" if forward else "_revinclude") + iterate, f"{link.source[0]}:{link.param}"))
        elif choice == "include":
            every = draw(st.booleans()) or not references
            pairs.append(("_include" + iterate, "*" if every else f"{type}:{draw(st.sampled_from(references))}"))
        elif choice == "revinclude" and referrers(type):
            source, code = draw(st.sampled_from(referrers(type)))
            pairs.append(("_revinclude" + iterate, f"{source}:{code}"))
        elif choice == "sort":
            names = [
                code
                for code in parameters(type)
                if code != "_id" and REGISTRY.search_parameters(type)[code].type != "composite"
            ]
            pairs.append(("_sort", draw(st.sampled_from(["", "-"])) + draw(st.sampled_from(names))))
        elif choice == "total":
            pairs.append(("_total", draw(st.sampled_from(["accurate", "estimate", "none"]))))
        elif choice == "count":
            pairs.append(("_count", draw(st.sampled_from(["0", "1", "2", "3", "50"]))))
        elif choice == "summary":
            pairs.append(("_summary", draw(st.sampled_from(["count", "true", "text", "data"]))))
        elif choice == "elements":
            pairs.append(("_elements", "id,meta"))
    return list({name.partition(":")[0] if name not in ("_include", "_revinclude") else name: (name, value) for name, value in pairs}.values())  # fmt: skip


@st.composite
def query(draw: st.DrawFn, type: str) -> str:
    pairs = draw(st.lists(criterion(type), max_size=2))
    if draw(st.integers(0, 4)) == 0:
        pairs.append(("_filter", draw(filter_expression(type))))
    pairs += draw(shape(type))
    if draw(st.integers(0, 19)) == 0:
        pairs.append(("_cursor", draw(st.sampled_from(["{cursor}", "{foreign}", "AAAA"]))))
    return urlencode(pairs, quote_via=quote, safe="{}:,|/")


@st.composite
def system_query(draw: st.DrawFn) -> str:
    pairs = [draw(criterion("Basic", 3))]
    while not pairs[0][0].startswith(("_id", "_tag", "_list", "_lastUpdated", "_profile", "_security")):
        pairs = [
            draw(
                st.sampled_from([("_id", "a-weight,b-weight,absent"), ("_tag", mark("b-weight")), ("_list", "b-list")])
            )
        ]
    if draw(st.booleans()):
        pairs.append(("_type", ",".join(draw(st.lists(types, min_size=1, max_size=3, unique=True)))))
    pairs += draw(
        st.sampled_from([[], [("_total", "accurate")], [("_summary", "count")], [("_count", "1")], [("_include", "*")]])
    )
    return urlencode(pairs, quote_via=quote, safe="{}:,|/")


@st.composite
def history_query(draw: st.DrawFn) -> str:
    pairs = draw(
        st.sampled_from([[], [("_count", "1")], [("_count", "3")], [("_count", "50")], [("_summary", "true")]])
    )
    if draw(st.booleans()):
        pairs = [*pairs, (draw(st.sampled_from(["_since", "_at"])), draw(moments))]
    return urlencode(pairs, safe="{}:") if pairs else ""


# --- Bodies ------------------------------------------------------------------------------------------------------------


@st.composite
def body(draw: st.DrawFn, type: str = "", id: str = "") -> dict[str, Any]:
    """A resource to write: about either of them, both, or nobody, and referring to what is and is not there."""
    whose = draw(st.sampled_from([A, A, A, B, "absent"]))
    aim = draw(instances)
    category = draw(st.sampled_from([VITAL, SOCIAL, {}]))
    made = observation("x", whose, "new", **category, hasMember=[ref(f"Observation/{draw(instances)[1]}")])
    if type == "Patient":
        made = resource("Patient", "x", link=[{"other": ref(f"Patient/{whose}"), "type": "seealso"}])
    elif type == "Provenance":
        made = resource("Provenance", "x", target=[ref("Observation/a-weight"), ref(f"{aim[0]}/{aim[1]}")], recorded="2026-01-01T00:00:00Z", agent=[{"who": ref("Organization/shop")}])  # fmt: skip
    elif type == "Binary":
        made = resource("Binary", "x", contentType="text/plain", securityContext=ref(f"{aim[0]}/{aim[1]}"), data="eA==")
    elif type == "Task":
        made = resource("Task", "x", status="requested", intent="order", focus=ref(f"{aim[0]}/{aim[1]}"), **{"for": ref(f"Patient/{whose}")})  # fmt: skip
    elif type == "Organization":
        made = resource("Organization", "x", name="new", partOf=ref("Organization/shop"))
    elif type == "Consent":
        names = {"data": [{"meaning": "related", "reference": ref(f"{aim[0]}/{aim[1]}")}], "type": "permit"}
        made = resource("Consent", "x", status=draw(st.sampled_from(["draft", "proposed", "active"])), scope=PRIVACY, category=[{"text": "c"}], patient=ref(f"Patient/{whose}"), policy=[{"uri": "http://test/policy"}], **draw(st.sampled_from([{}, {"provision": names}])))  # fmt: skip
    elif type == "Bundle":
        made = resource("Bundle", "x", type="collection", entry=[{"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1", "resource": {"resourceType": "Provenance", "target": [ref(f"{aim[0]}/{aim[1]}")], "recorded": "2026-01-01T00:00:00Z", "agent": [{"who": ref("Organization/shop")}]}}])  # fmt: skip
    if id:
        return {**made, "id": id}
    return {name: value for name, value in made.items() if name != "id"}


WRITTEN = ("Observation", "Observation", "Task", "Provenance", "Binary", "Patient", "Organization", "Consent", "Bundle")
writable = st.sampled_from(WRITTEN)


@st.composite
def narrow_condition(draw: st.DrawFn, type: str) -> str:
    pairs = draw(
        st.one_of(
            st.tuples(st.just("identifier"), marks.map("http://test/id|{}".format)),
            st.tuples(st.just("_id"), numbered.map(lambda place: place[1])),
            st.tuples(st.just("_tag"), marks),
            criterion(type, 1),
        )
    )
    return urlencode([pairs], quote_via=quote, safe="{}:,|/")


@st.composite
def version_headers(draw: st.DrawFn, id: str, *names: str) -> tuple[tuple[str, str], ...]:
    if id in RENUMBERED or draw(st.booleans()):
        return ()
    return ((draw(st.sampled_from(names)), f'W/"{draw(versions)}"'),)


PREFER = st.sampled_from([(), (), (("prefer", "return=minimal"),), (("prefer", "return=OperationOutcome"),)])
LENIENT = st.sampled_from([(), (), (("prefer", "handling=lenient"),), (("accept", "application/fhir+xml"),)])
PATCHES = st.sampled_from(
    [
        [{"op": "add", "path": "/language", "value": "nl"}],
        [{"op": "test", "path": "/id", "value": "b-weight"}],
        [{"op": "replace", "path": "/status", "value": "amended"}],
        [{"op": "remove", "path": "/absent"}],
    ]
).map(lambda operations: json.dumps(operations).encode())


# --- Routes ------------------------------------------------------------------------------------------------------------


@st.composite
def reading(draw: st.DrawFn, suffix: str = "") -> Ask:
    type, id = draw(instances)
    headers = draw(st.one_of(version_headers(id, "if-none-match"), LENIENT)) if not suffix else ()
    method = draw(st.sampled_from(["GET", "GET", "HEAD"])) if not suffix else "GET"
    return Ask(method, f"/{type}/{id}{suffix}", headers=headers)


@st.composite
def version_reading(draw: st.DrawFn, suffix: str = "") -> Ask:
    type, id = draw(st.one_of(numbered, several_versions, absent))
    return Ask(
        "GET", f"/{type}/{id}/_history/{draw(versions)}{suffix}", headers=draw(version_headers(id, "if-none-match"))
    )


@st.composite
def history(draw: st.DrawFn, level: str) -> Ask:
    if level == "instance":
        path = "/{}/{}".format(*draw(instances))
    else:
        path = f"/{draw(types)}" if level == "type" else ""
    return Ask("GET", f"{path}/_history?{draw(history_query())}")


@st.composite
def searching(draw: st.DrawFn, posted: bool) -> Ask:
    type = draw(types)
    return _search(f"/{type}", draw(query(type)), posted, draw(LENIENT))


@st.composite
def system_searching(draw: st.DrawFn, posted: bool) -> Ask:
    return _search("", draw(system_query()), posted, draw(LENIENT))


@st.composite
def compartment_searching(draw: st.DrawFn, posted: bool) -> Ask:
    compartment, id = draw(
        st.sampled_from([("Patient", A), ("Patient", B), ("Patient", "absent"), ("Encounter", "a-visit"), ("Encounter", "b-visit"), ("Practitioner", "doctor"), ("Device", "b-device")])
    )  # fmt: skip
    type = draw(types)
    if draw(st.integers(0, 3)) == 0:
        return _search(f"/{compartment}/{id}/*", draw(st.sampled_from(["", "_summary=count", "_count=1"])), posted, ())
    return _search(f"/{compartment}/{id}/{type}", draw(query(type)), posted, ())


def _search(path: str, text: str, posted: bool, headers: tuple[tuple[str, str], ...]) -> Ask:
    if posted:
        return Ask("POST", f"{path}/_search", text.encode(), (*FORM, *headers))
    return Ask("GET", f"{path}?{text}", headers=headers)


@st.composite
def creating(draw: st.DrawFn) -> Ask:
    type = draw(writable)
    headers = draw(PREFER)
    if draw(st.booleans()):
        headers = (*headers, ("if-none-exist", draw(narrow_condition(type))))
    return Ask("POST", f"/{type}", draw(body(type)), headers)


@st.composite
def updating(draw: st.DrawFn) -> Ask:
    type, id = draw(instances)
    written = draw(body(type, id))
    return Ask("PUT", f"/{type}/{id}", {**written, "resourceType": type} if type == "Observation" else written, (*draw(PREFER), *draw(version_headers(id, "if-match"))))  # fmt: skip


@st.composite
def conditional(draw: st.DrawFn, method: str) -> Ask:
    type = draw(writable)
    target = f"/{type}?{draw(narrow_condition(type))}"
    if method == "PUT":
        return Ask("PUT", target, draw(body(type, draw(st.sampled_from(["", "", "b-weight", "absent"])))), draw(PREFER))
    if method == "PATCH":
        return Ask("PATCH", target, draw(PATCHES), JSON_PATCH)
    return Ask("DELETE", target, headers=draw(PREFER))


@st.composite
def patching(draw: st.DrawFn) -> Ask:
    type, id = draw(instances)
    return Ask("PATCH", f"/{type}/{id}", draw(PATCHES), (*JSON_PATCH, *draw(version_headers(id, "if-match"))))


@st.composite
def deleting(draw: st.DrawFn) -> Ask:
    # Of one's own only what this run made: a dossier that is gone has nothing left to hide behind.
    type, id = draw(
        instances.filter(lambda place: not place[1].startswith(("a-", "resident-a")) and place not in _OPEN)
    )
    return Ask("DELETE", f"/{type}/{id}", headers=(*draw(PREFER), *draw(version_headers(id, "if-match"))))


_OPEN = frozenset(place for place in PLACES if not place[1].startswith(("b-", "n-", "resident-b")))


@st.composite
def bundle(draw: st.DrawFn) -> Ask:
    entries = draw(st.lists(bundle_entry(), min_size=1, max_size=4))
    return Ask(
        "POST",
        "",
        {"resourceType": "Bundle", "type": draw(st.sampled_from(["batch", "transaction"])), "entry": entries},
    )


@st.composite
def bundle_entry(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["read", "search", "create", "update", "delete", "condition", "reference", "patch"]))
    if kind in ("read", "search"):
        ask = draw(reading() if kind == "read" else searching(False))
        request = {"method": "GET", "url": ask.target.lstrip("/").rstrip("?")}
        conditions = dict(ask.headers)
        if "if-none-match" in conditions:
            request["ifNoneMatch"] = conditions["if-none-match"]
        return {"request": request}
    if kind == "create":
        ask = draw(creating())
        request = {"method": "POST", "url": ask.target[1:]}
        if "if-none-exist" in dict(ask.headers):
            request["ifNoneExist"] = dict(ask.headers)["if-none-exist"]
        return {"request": request, "resource": ask.body}
    if kind == "reference":
        type = draw(st.sampled_from(["Observation", "Patient", "Encounter"]))
        made = {**observation("x", A, "new"), "focus": [ref(f"{type}?{draw(narrow_condition(type))}")]}
        del made["id"]
        return {"request": {"method": "POST", "url": "Observation"}, "resource": made}
    if kind == "patch":
        type, id = draw(instances)
        change = {"name": "operation", "part": [{"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Observation.status"}, {"name": "value", "valueCode": "amended"}]}  # fmt: skip
        return {
            "request": {"method": "PATCH", "url": f"{type}/{id}"},
            "resource": {"resourceType": "Parameters", "parameter": [change]},
        }
    ask = draw({"update": updating(), "delete": deleting(), "condition": conditional("PUT")}[kind])
    request = {"method": ask.method, "url": ask.target[1:]}
    if "if-match" in dict(ask.headers):
        request["ifMatch"] = dict(ask.headers)["if-match"]
    return {"request": request, **({"resource": ask.body} if ask.body is not None else {})}


patients = st.sampled_from([A, A, B, "absent"])
consents = st.sampled_from(["a-consent", "b-consent", *CONSENT_IDS])


@st.composite
def everything(draw: st.DrawFn, posted: bool) -> Ask:
    target = f"/Patient/{draw(patients)}/$everything"
    pairs = draw(
        st.sampled_from(
            [
                [],
                [("_count", "2")],
                [("_type", "Observation,Consent")],
                [("start", "2026-02-01")],
                [("_since", "{time3}")],
            ]
        )
    )
    if posted:
        return Ask(
            "POST",
            target,
            {
                "resourceType": "Parameters",
                "parameter": [{"name": name, "valueString": value} for name, value in pairs]
                or [{"name": "_count", "valueInteger": 3}],
            },
        )
    return Ask("GET", f"{target}?{urlencode(pairs, safe='{}:,')}")


@st.composite
def opening(draw: st.DrawFn) -> Ask:
    parameters = [{"name": "reason", "valueString": draw(st.sampled_from(["found unconscious", " "]))}]
    return Ask(
        "POST", f"/Patient/{draw(patients)}/$emergency-access", {"resourceType": "Parameters", "parameter": parameters}
    )


ACTORS = ("Practitioner/doctor", "PractitionerRole/gp", "Organization/ward", "RelatedPerson/a-daughter", "RelatedPerson/b-neighbour", f"Patient/{B}", "Practitioner/absent")  # fmt: skip


@st.composite
def explaining(draw: st.DrawFn, posted: bool) -> Ask:
    target = f"/Patient/{draw(patients)}/$explain-access"
    type, id = draw(instances)
    pairs = [("actor", draw(st.sampled_from(ACTORS)))]
    pairs += draw(st.sampled_from([[], [("resource", f"{type}/{id}")], [("type", type)]]))
    pairs += draw(
        st.sampled_from(
            [[], [("purpose", "TREAT")], [("at", "2026-01-01")], [("action", "correct"), ("language", "nl")]]
        )
    )
    if posted:
        kinds = {"actor": "valueReference", "resource": "valueReference", "at": "valueDateTime"}
        parameters = [
            {
                "name": name,
                kinds.get(name, "valueCode"): {"reference": value} if kinds.get(name) == "valueReference" else value,
            }
            for name, value in pairs
        ]
        return Ask("POST", target, {"resourceType": "Parameters", "parameter": parameters})
    return Ask("GET", f"{target}?{urlencode(pairs, safe='{}:/')}")


@st.composite
def lastn(draw: st.DrawFn, posted: bool) -> Ask:
    pairs = [("patient", f"Patient/{draw(patients)}"), ("max", draw(st.sampled_from(["1", "5"])))]
    pairs.append(draw(criterion("Observation", 1)))
    if posted:
        return Ask(
            "POST",
            "/Observation/$lastn",
            {
                "resourceType": "Parameters",
                "parameter": [{"name": name, "valueString": value} for name, value in pairs],
            },
        )
    return Ask("GET", f"/Observation/$lastn?{urlencode(pairs, quote_via=quote, safe='{}:,|/')}")


@st.composite
def validating(draw: st.DrawFn, instance: bool) -> Ask:
    type, id = draw(instances)
    mode = draw(st.sampled_from(["", "", "?mode=create", "?mode=update", "?mode=delete"]))
    target = f"/{type}/{id}/$validate{mode}" if instance else f"/{type}/$validate{mode}"
    if instance and mode == "?mode=delete" and draw(st.booleans()):
        return Ask("POST", target)
    return Ask("POST", target, draw(body(type, id if instance else "")))


@st.composite
def meta_changing(draw: st.DrawFn, operation: str) -> Ask:
    type, id = draw(instances)
    value = {"name": "meta", "valueMeta": {"tag": [{"system": "http://test/tag", "code": "added"}]}}
    return Ask("POST", f"/{type}/{id}/{operation}", {"resourceType": "Parameters", "parameter": [value]})


BY_ROUTE: Mapping[tuple[str, str], st.SearchStrategy[Ask]] = {
    ("GET", "metadata"): st.just(Ask("GET", "/metadata")),
    ("POST", ""): bundle(),
    ("GET", ""): system_searching(False),
    ("POST", "_search"): system_searching(True),
    ("GET", "_history"): history("system"),
    ("GET", "{type}"): searching(False),
    ("POST", "{type}/_search"): searching(True),
    ("GET", "{type}/_history"): history("type"),
    ("POST", "{type}"): creating(),
    ("PUT", "{type}"): conditional("PUT"),
    ("PATCH", "{type}"): conditional("PATCH"),
    ("DELETE", "{type}"): conditional("DELETE"),
    ("GET", "{type}/{id}"): reading(),
    ("GET", "{type}/{id}/_history/{vid}"): version_reading(),
    ("GET", "{type}/{id}/_history"): history("instance"),
    ("PUT", "{type}/{id}"): updating(),
    ("PATCH", "{type}/{id}"): patching(),
    ("DELETE", "{type}/{id}"): deleting(),
    ("GET", "{type}/{id}/{member}"): compartment_searching(False),
    ("POST", "{type}/{id}/{member}/_search"): compartment_searching(True),
    ("GET", "{type}/{id}/$everything"): everything(False),
    ("POST", "{type}/{id}/$everything"): everything(True),
    ("POST", "{type}/{id}/$emergency-access"): opening(),
    ("GET", "{type}/{id}/$explain-access"): explaining(False),
    ("POST", "{type}/{id}/$explain-access"): explaining(True),
    ("POST", "{type}/$preview"): body("Consent").map(lambda made: Ask("POST", "/Consent/$preview", made)),
    ("GET", "{type}/{id}/$preview"): consents.map(lambda id: Ask("GET", f"/Consent/{id}/$preview")),
    ("POST", "{type}/{id}/$preview"): consents.map(lambda id: Ask("POST", f"/Consent/{id}/$preview")),
    ("GET", "{type}/{id}/$access-log"): st.builds(
        lambda id, more: Ask("GET", f"/Patient/{id}/$access-log{more}"),
        patients,
        st.sampled_from(["", "?_count=3", "?start=2026-01-01&language=nl", "?end=2020-01-01"]),
    ),
    ("GET", "{type}/$lastn"): lastn(False),
    ("POST", "{type}/$lastn"): lastn(True),
    ("POST", "{type}/$validate"): validating(False),
    ("GET", "{type}/{id}/$validate"): reading("/$validate"),
    ("POST", "{type}/{id}/$validate"): validating(True),
    ("GET", "$meta"): st.just(Ask("GET", "/$meta")),
    ("GET", "{type}/$meta"): types.map(lambda type: Ask("GET", f"/{type}/$meta")),
    ("GET", "{type}/{id}/$meta"): reading("/$meta"),
    ("GET", "{type}/{id}/_history/{vid}/$meta"): version_reading("/$meta"),
    ("POST", "{type}/{id}/$meta-add"): meta_changing("$meta-add"),
    ("POST", "{type}/{id}/$meta-delete"): meta_changing("$meta-delete"),
}

# Searches carry most of what could leak: they come up more often than the rest.
asks = st.one_of(searching(False), searching(False), searching(False), bundle(), st.one_of(*BY_ROUTE.values()))

READS = [strategy for (method, pattern), strategy in BY_ROUTE.items() if method == "GET" and "$validate" not in pattern]
reads = st.one_of(searching(False), searching(False), st.one_of(*READS))
