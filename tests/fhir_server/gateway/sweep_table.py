"""What the sweep asks of every route. A route that is missing here fails the build.

`HIDDEN` is the dossier that nobody in the sweep may see but its owner; all of it carries MARKER. It hangs in many ways on
what everybody may see, so that chains, includes, conditions and references could give it away.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.fhir_server.inprocess import observation, organization, patient

MARKER = "Zichtbaarzijnmagditniet"
OWNER = "hidden-owner"
BASE64_MARKER = "WmljaHRiYWFyemlqbm1hZ2RpdG5pZXQ="
FORM = "application/x-www-form-urlencoded"
JSON_PATCH = "application/json-patch+json"


def ref(text: str) -> dict[str, Any]:
    return {"reference": text}


NOTE = {"note": [{"text": MARKER}]}
TEXT = {"code": {"text": MARKER, "coding": [{"system": "http://test/codes", "code": "weight"}]}}
SUBJECT = {"subject": ref(f"Patient/{OWNER}")}
BUSINESS_ID = {"identifier": [{"system": "http://test/id", "value": MARKER}]}

# What everybody in the sweep may read, or at least knows of: the resident `me`, and the directory.
PUBLIC: list[dict[str, Any]] = [
    organization("shop"),
    {"resourceType": "Location", "id": "shop-hall", "managingOrganization": ref("Organization/shop")},
    {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "Open"}]},
    {"resourceType": "HealthcareService", "id": "walk", "providedBy": ref("Organization/shop")},
    {"resourceType": "Questionnaire", "id": "form", "status": "active", "url": "http://test/form"},
    patient(
        "me", generalPractitioner=[ref("Practitioner/doctor")], identifier=[{"system": "http://test/id", "value": "me"}]
    ),
    observation(
        "mine",
        "me",
        performer=[ref("Practitioner/doctor")],
        # What is open may mention what is hidden; criteria behind the mention must not be felt.
        focus=[ref("Observation/h-observation")],
        encounter=ref("Encounter/h-encounter"),
    ),
]

HIDDEN: list[dict[str, Any]] = [
    patient(
        OWNER,
        name=[{"family": MARKER}],
        managingOrganization=ref("Organization/shop"),
        generalPractitioner=[ref("Practitioner/doctor")],
        **BUSINESS_ID,
    ),
    observation("h-observation", OWNER, performer=[ref("Practitioner/doctor"), ref("Organization/shop")], **NOTE, **BUSINESS_ID),
    {**observation("h-both", "me"), "performer": [ref(f"Patient/{OWNER}")], **NOTE},
    {"resourceType": "Condition", "id": "h-condition", **SUBJECT, **TEXT, "asserter": ref("Practitioner/doctor")},
    {"resourceType": "Encounter", "id": "h-encounter", "status": "finished", "class": {"code": "AMB", "display": MARKER}, **SUBJECT, "serviceProvider": ref("Organization/shop"), "location": [{"location": ref("Location/shop-hall")}]},
    {"resourceType": "Task", "id": "h-task", "status": "requested", "intent": "order", "for": ref(f"Patient/{OWNER}"), "owner": ref("Organization/shop"), "focus": ref("Observation/mine"), "description": MARKER},
    {"resourceType": "Consent", "id": "h-consent", "status": "active", "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}], "text": MARKER}, "category": [{"text": MARKER}], "patient": ref(f"Patient/{OWNER}"), "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}], "text": MARKER}, "organization": [ref("Organization/shop")]},
    {"resourceType": "Appointment", "id": "h-appointment", "status": "booked", "description": MARKER, "start": "2026-01-01T10:00:00Z", "end": "2026-01-01T11:00:00Z", "participant": [{"actor": ref(f"Patient/{OWNER}"), "status": "accepted"}, {"actor": ref("HealthcareService/walk"), "status": "accepted"}]},
    {"resourceType": "QuestionnaireResponse", "id": "h-answers", "status": "completed", "questionnaire": "http://test/form", **SUBJECT, "item": [{"linkId": "1", "text": MARKER}]},
    {"resourceType": "List", "id": "h-list", "status": "current", "mode": "working", "title": MARKER, **SUBJECT, "entry": [{"item": ref("Organization/shop")}, {"item": ref("Observation/mine")}]},
    {"resourceType": "Group", "id": "h-group", "type": "person", "actual": True, "name": MARKER, "member": [{"entity": ref(f"Patient/{OWNER}")}]},
    {"resourceType": "Device", "id": "h-device", "patient": ref(f"Patient/{OWNER}"), "owner": ref("Organization/shop"), "distinctIdentifier": MARKER},
    {"resourceType": "Schedule", "id": "h-schedule", "actor": [ref(f"Patient/{OWNER}")], "comment": MARKER},
    {"resourceType": "Binary", "id": "h-binary", "contentType": "text/plain", "securityContext": ref(f"Patient/{OWNER}"), "data": BASE64_MARKER},
    {"resourceType": "Bundle", "id": "h-bundle", "type": "collection", "entry": [{"fullUrl": "http://x/Observation/x", "resource": observation("x", OWNER, **NOTE)}]},
    {"resourceType": "Provenance", "id": "h-provenance", "target": [ref("Observation/h-observation")], "recorded": "2026-01-01T00:00:00Z", "agent": [{"who": ref("Organization/shop")}], "reason": [{"text": MARKER}]},
    {"resourceType": "AuditEvent", "id": "h-audit", "type": {"code": "rest", "display": MARKER}, "recorded": "2026-01-01T00:00:00Z", "agent": [{"requestor": True, "who": ref("Practitioner/doctor")}], "source": {"observer": ref("Organization/shop")}, "entity": [{"what": ref(f"Patient/{OWNER}")}]},
    # On no list, and about nobody that is known.
    {"resourceType": "Subscription", "id": "h-subscription", "status": "off", "reason": MARKER, "criteria": "Observation?", "channel": {"type": "rest-hook"}},
    {"resourceType": "MessageHeader", "id": "h-message", "eventCoding": {"code": MARKER}, "source": {"endpoint": "http://x"}, "sender": ref("Organization/shop")},
    observation("h-gone", OWNER, **NOTE),  # the sweep deletes this one before it starts
]  # fmt: skip

GONE = ("Observation", "h-gone")
TYPES = sorted({resource["resourceType"] for resource in HIDDEN})
PLACES = [(resource["resourceType"], resource["id"]) for resource in HIDDEN]

Asked = tuple[str, Any, Mapping[str, str]]  # url, body, headers and content_type
Table = Mapping[tuple[str, str], Callable[[], Iterator[Asked]]]


def plain(*urls: str) -> Iterator[Asked]:
    for url in urls:
        yield url, None, {}


def metadata() -> Iterator[Asked]:
    yield from plain("metadata")


SYSTEM_SEARCHES = (
    f"_id={OWNER},h-observation",
    "_type=Observation,Patient,Organization&_total=accurate",
    "_type=Subscription,MessageHeader&_summary=count",
    "_lastUpdated=ge2020&_type=Encounter,Condition,Group&_total=accurate",
    "_type=Organization&_list=h-list",
    f"_type=Observation&_content={MARKER}&_total=accurate",
    "_count=3&_total=accurate&_type=Task,Device,List,Organization,Location",
)
TYPE_SEARCHES = (
    "_total=accurate",
    "_summary=count",
    "_count=1&_total=accurate",
    "_sort=-_lastUpdated&_total=accurate",
    "_id={id}&_total=accurate",
    f"_content={MARKER}&_total=accurate",
    f"_text={MARKER}&_total=accurate",
    "_lastUpdated=gt2001-01-01&_total=accurate",
    "_has:Provenance:target:_id=h-provenance&_total=accurate",
    "_has:List:item:_id=h-list&_total=accurate",
)
# Searches of what is open, by criteria on what is hidden.
CROSSING = (
    "Organization?_has:Encounter:service-provider:status=finished",
    f"Organization?_has:Patient:organization:name={MARKER}",
    "Organization?_has:Patient:organization:_has:Observation:subject:code=weight",
    "Organization?_revinclude=Encounter:service-provider&_revinclude=Patient:organization",
    "Organization?_revinclude=*&_revinclude:iterate=*",
    "Organization?_revinclude:iterate=Patient:organization&_revinclude:iterate=Observation:subject",
    "Organization?_list=h-list&_total=accurate",
    "Organization?_has:Device:organization:_id=h-device",
    f"Organization?_filter=_has:Patient:organization:name eq {MARKER}",
    "Location?_has:Encounter:location:_id=h-encounter",
    "Location?_revinclude=Encounter:location",
    "HealthcareService?_revinclude=Appointment:actor",
    "HealthcareService?_has:Appointment:actor:status=booked",
    "Questionnaire?_revinclude=QuestionnaireResponse:questionnaire",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed",
    "Practitioner?_has:Patient:general-practitioner:_id=hidden-owner",
    "Practitioner?_revinclude=Observation:performer&_revinclude=AuditEvent:agent",
    "Observation?focus:Observation.code=weight&_total=accurate",
    f"Observation?focus:Observation.subject:Patient.name={MARKER}",
    "Observation?encounter.status=finished&_total=accurate",
    "Observation?encounter:Encounter.service-provider.name=shop",
    "Observation?_filter=encounter.status eq finished",
    "Observation?_include=Observation:encounter&_include=Observation:focus&_include:iterate=Encounter:subject",
    "Observation?_include=*&_include:iterate=*",
    "Observation?_has:Task:focus:status=requested",
    "Observation?_revinclude=Task:focus&_revinclude=List:item",
    "Observation?subject:Patient.identifier=http://test/id|" + MARKER,
    f"Observation?subject.name={MARKER}&_total=accurate",
    "Observation?patient.organization.name=shop&_total=accurate",
    f"Observation?performer:Patient.name={MARKER}&_total=accurate",
    "Observation?performer:missing=false&_include=Observation:performer&_total=accurate",
    "Observation?patient:not-in=x",
    "Observation?code:not=other&_total=accurate",
    "Patient?general-practitioner=Practitioner/doctor&_total=accurate",
    "Patient?general-practitioner.family=Open&_total=accurate",
    "Patient?organization:missing=true&_total=accurate",
    "Patient?_has:Observation:patient:code=weight&_total=accurate",
    "Patient?_has:Group:member:_id=h-group",
)  # fmt: skip


def search_system() -> Iterator[Asked]:
    yield from plain(*(f"?{query}" for query in SYSTEM_SEARCHES))


def search_system_post() -> Iterator[Asked]:
    for query in SYSTEM_SEARCHES:
        yield "_search", query.encode(), {"content_type": FORM}


def search_type() -> Iterator[Asked]:
    for type, id in PLACES:
        yield from plain(*(f"{type}?{query.format(id=id)}" for query in TYPE_SEARCHES))
    yield from plain(*CROSSING)


def search_type_post() -> Iterator[Asked]:
    for type, id in PLACES:
        yield f"{type}/_search", f"_id={id}&_total=accurate".encode(), {"content_type": FORM}
    for crossing in CROSSING:
        type, _, query = crossing.partition("?")
        yield f"{type}/_search", query.encode(), {"content_type": FORM}


def search_compartment() -> Iterator[Asked]:
    for type in (*TYPES, "*"):
        yield from plain(f"Patient/{OWNER}/{type}?_total=accurate")
    yield from plain(
        "Practitioner/doctor/Observation?_total=accurate",
        "Practitioner/doctor/Patient?_total=accurate",
        "Encounter/h-encounter/Observation?_total=accurate",
        "Device/h-device/Observation",
        "Patient/me/Observation?_total=accurate",
    )


def search_compartment_post() -> Iterator[Asked]:
    for type in TYPES:
        yield f"Patient/{OWNER}/{type}/_search", b"_total=accurate", {"content_type": FORM}


def history_system() -> Iterator[Asked]:
    yield from plain("_history?_count=1000", "_history?_since=2020-01-01&_count=3", "_history?_at=2026")


def history_type() -> Iterator[Asked]:
    for type in TYPES:
        yield from plain(f"{type}/_history", f"{type}/_history?_count=1")


def history_instance() -> Iterator[Asked]:
    for type, id in PLACES:
        yield from plain(f"{type}/{id}/_history", f"{type}/{id}/_history?_since=2020-01-01")


def read() -> Iterator[Asked]:
    for type, id in PLACES:
        yield f"{type}/{id}", None, {}
        yield f"{type}/{id}", None, {"if_none_match": 'W/"1"'}
        yield f"{type}/{id}", None, {"if_modified_since": "Fri, 01 Jan 2100 00:00:00 GMT"}
        yield f"{type}/{id}?_summary=true&_format=json", None, {}


def vread() -> Iterator[Asked]:
    for type, id in PLACES:
        yield from plain(*(f"{type}/{id}/_history/{version}" for version in ("1", "2", "9", "x")))


def without_id(type: str) -> dict[str, Any]:
    """A resource of the type about the resident `me`, or about nobody."""
    about: dict[str, Any] = {"resourceType": type}
    if type in ("Observation", "Condition"):
        about.update(observation("", "me"))
        about.pop("status") if type == "Condition" else None
        about["resourceType"] = type
    if type == "Patient":
        about["active"] = True
    about.pop("id", None)
    return about


def create() -> Iterator[Asked]:
    hidden_id = f"identifier=http://test/id|{MARKER}"
    yield "Observation", without_id("Observation"), {}
    yield "Observation", without_id("Observation"), {"if_none_exist": hidden_id}
    yield "Observation", without_id("Observation"), {"if_none_exist": f"subject:Patient.name={MARKER}"}
    yield (
        "Organization",
        {"resourceType": "Organization", "name": "new"},
        {"if_none_exist": "_has:Patient:organization:_id=hidden-owner"},
    )
    yield "Patient", without_id("Patient"), {"if_none_exist": hidden_id}
    about_hidden = {**without_id("Observation"), "subject": ref(f"Patient/{OWNER}")}
    yield "Observation", about_hidden, {}
    yield "Observation", {**without_id("Observation"), "focus": [ref("Observation/h-observation")]}, {}
    provenance = {
        "resourceType": "Provenance",
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": ref("Patient/me")}],
    }
    yield "Provenance", {**provenance, "target": [ref("Observation/h-observation")]}, {}
    yield "Provenance", {**provenance, "target": [ref("Observation/mine"), ref("Observation/h-gone")]}, {}
    yield (
        "Binary",
        {"resourceType": "Binary", "contentType": "text/plain", "securityContext": ref("Observation/h-observation")},
        {},
    )


def update() -> Iterator[Asked]:
    """PUT by id. Owners may create by chosen id: `me` does so for ids that are free; hidden ids are refused as if one could not."""
    for type, id in PLACES:
        body = {**without_id(type), "id": id}
        yield f"{type}/{id}", body, {"if_match": 'W/"1"'}
        yield f"{type}/{id}", body, {"if_match": 'W/"7"'}


def conditional_update() -> Iterator[Asked]:
    yield f"Observation?identifier=http://test/id|{MARKER}", without_id("Observation"), {}
    yield f"Patient?identifier=http://test/id|{MARKER}", without_id("Patient"), {}
    yield "Observation?_id=h-observation", without_id("Observation"), {}


PATCH = b'[{"op":"add","path":"/language","value":"nl"}]'


def patch() -> Iterator[Asked]:
    for type, id in PLACES:
        yield f"{type}/{id}", PATCH, {"content_type": JSON_PATCH}
        yield f"{type}/{id}", PATCH, {"content_type": JSON_PATCH, "if_match": 'W/"7"'}


def conditional_patch() -> Iterator[Asked]:
    for type, id in PLACES:
        yield f"{type}?_id={id}", PATCH, {"content_type": JSON_PATCH}


def delete() -> Iterator[Asked]:
    for type, id in PLACES:
        yield f"{type}/{id}", None, {}
        yield f"{type}/{id}", None, {"if_match": 'W/"7"'}


def conditional_delete() -> Iterator[Asked]:
    for type, id in PLACES:
        yield f"{type}?_id={id}", None, {}
    yield f"Observation?identifier=http://test/id|{MARKER}", None, {}


def bundles() -> Iterator[Asked]:
    """The same questions as entries, and references and conditions that only a Bundle can hold."""

    def entry(method: str, url: str, resource: Any = None, **request: str) -> dict[str, Any]:
        made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
        return made if resource is None else {**made, "resource": resource}

    gets = [entry("GET", f"{type}/{id}") for type, id in PLACES]
    gets += [entry("GET", crossing) for crossing in CROSSING]
    writes = [entry("DELETE", f"{type}/{id}") for type, id in PLACES]
    conditional = {**without_id("Observation"), "subject": ref(f"Patient?identifier=http://test/id|{MARKER}")}
    mine = without_id("Observation")
    yield "", {"resourceType": "Bundle", "type": "batch", "entry": gets + writes}, {}
    yield "", {"resourceType": "Bundle", "type": "transaction", "entry": gets}, {}
    for one in (
        *writes,
        entry("POST", "Observation", conditional),
        entry("POST", "Observation", mine, ifNoneExist=f"identifier=http://test/id|{MARKER}"),
        entry("PUT", "Observation?_id=h-observation", mine),
        entry("PUT", "Observation/h-observation", {**mine, "id": "h-observation"}, ifMatch='W/"1"'),
        entry("DELETE", f"Observation?identifier=http://test/id|{MARKER}"),
    ):
        yield "", {"resourceType": "Bundle", "type": "transaction", "entry": [one]}, {}


def everything() -> Iterator[Asked]:
    yield from plain(f"Patient/{OWNER}/$everything", "Patient/me/$everything", "Patient/me/$everything?_count=1")


def everything_post() -> Iterator[Asked]:
    body = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueCode": "Observation"}]}
    yield f"Patient/{OWNER}/$everything", body, {}
    yield "Patient/me/$everything", body, {}


def emergency_access() -> Iterator[Asked]:
    """Whoever may press the button gets a token, whether there is somebody or not."""
    for id in (OWNER, "me", "absent"):
        for parameters in ([{"name": "reason", "valueString": "a fall"}], [{"name": "reason", "valueString": " "}], []):
            body = {"resourceType": "Parameters", "parameter": parameters}
            yield f"Patient/{id}/$emergency-access", body, {}


EXPLAIN = (
    "actor=Practitioner/doctor",
    "actor=Practitioner/doctor&purpose=TREAT&type=Observation",
    f"actor=Patient/{OWNER}&language=nl",
    "actor=RelatedPerson/r&type=Condition",
    "actor=Practitioner/absent&at=2026-01-01",
    "actor=Practitioner/doctor&purpose=BTG&resource=Observation/h-observation",
    "actor=Practitioner/doctor&resource=Consent/h-consent&at=2030-01-01",
    "actor=Organization/shop&resource=Group/h-group",
)


def explain_access() -> Iterator[Asked]:
    for id in (OWNER, "me", "absent"):
        yield from plain(*(f"Patient/{id}/$explain-access?{query}" for query in EXPLAIN))


def explain_access_post() -> Iterator[Asked]:
    for id in (OWNER, "me"):
        for type, hidden in PLACES:
            parameters = [
                {"name": "actor", "valueReference": ref("Practitioner/doctor")},
                {"name": "resource", "valueReference": ref(f"{type}/{hidden}")},
            ]
            yield f"Patient/{id}/$explain-access", {"resourceType": "Parameters", "parameter": parameters}, {}


def preview_type() -> Iterator[Asked]:
    for id in (OWNER, "me", "absent"):
        for reference in ("Practitioner/doctor", "Group/h-group", "Device/h-device", f"Patient/{OWNER}"):
            yield "Consent/$preview", _previewed(id, reference), {}
    data = {"meaning": "related", "reference": ref("Encounter/h-encounter")}
    yield "Consent/$preview", _previewed("me", "Practitioner/doctor", data=[data]), {}
    taken = {**_previewed("me", "Practitioner/doctor")["parameter"][0]["resource"], "id": "h-consent"}
    yield "Consent/$preview", {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": taken}]}, {}


def _previewed(patient_id: str, reference: str, **provision: Any) -> dict[str, Any]:
    """Patient `patient_id` would let somebody see all."""
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "PRCP"}]}
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": ref(f"Patient/{patient_id}"),
        "performer": [ref(f"Patient/{patient_id}")],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "provision": {"type": "permit", "actor": [{"role": role, "reference": ref(reference)}], **provision},
    }
    return {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": consent}]}


def preview_instance() -> Iterator[Asked]:
    yield from plain(*(f"Consent/{id}/$preview" for type, id in PLACES if type == "Consent"))
    yield from plain("Consent/h-consent/$preview?status=inactive", "Consent/absent/$preview")


def preview_instance_post() -> Iterator[Asked]:
    body = {"resourceType": "Parameters", "parameter": [{"name": "status", "valueCode": "inactive"}]}
    for id in ("h-consent", "absent"):
        yield f"Consent/{id}/$preview", body, {}


LASTN = (
    f"patient=Patient/{OWNER}",
    f"subject=Patient/{OWNER}&max=9",
    "subject=Patient/me&max=9",
    f"patient.name={MARKER}",
)


def access_log() -> Iterator[Asked]:
    yield from plain(
        f"Patient/{OWNER}/$access-log",
        f"Patient/{OWNER}/$access-log?_count=1&language=nl",
        "Patient/absent/$access-log",
        "Patient/me/$access-log?start=2090-01-01",
    )


def lastn() -> Iterator[Asked]:
    yield from plain(*(f"Observation/$lastn?{query}" for query in LASTN))


def lastn_post() -> Iterator[Asked]:
    parameters = [{"name": "patient", "valueString": f"Patient/{OWNER}"}, {"name": "max", "valuePositiveInt": 9}]
    yield "Observation/$lastn", {"resourceType": "Parameters", "parameter": parameters}, {}


def validate_type() -> Iterator[Asked]:
    yield "Observation/$validate", {**without_id("Observation"), "focus": [ref("Observation/h-observation")]}, {}
    yield "Observation/$validate?mode=create", without_id("Observation"), {}


def validate_instance() -> Iterator[Asked]:
    for type, id in PLACES:
        yield from plain(f"{type}/{id}/$validate")


def validate_instance_post() -> Iterator[Asked]:
    for type, id in PLACES:
        yield f"{type}/{id}/$validate?mode=delete", None, {}
        yield f"{type}/{id}/$validate", {**without_id(type), "id": id}, {}


def meta_system() -> Iterator[Asked]:
    yield from plain("$meta")


def meta_type() -> Iterator[Asked]:
    yield from plain(*(f"{type}/$meta" for type in TYPES))


def meta_instance() -> Iterator[Asked]:
    yield from plain(*(f"{type}/{id}/$meta" for type, id in PLACES))


def meta_version() -> Iterator[Asked]:
    yield from plain(*(f"{type}/{id}/_history/1/$meta" for type, id in PLACES))


def change_meta(operation: str) -> Callable[[], Iterator[Asked]]:
    def asked() -> Iterator[Asked]:
        parameter = {"name": "meta", "valueMeta": {"tag": [{"system": "s", "code": "c"}]}}
        for type, id in PLACES:
            yield f"{type}/{id}/{operation}", {"resourceType": "Parameters", "parameter": [parameter]}, {}

    return asked


TABLE: Table = {
    ("GET", "metadata"): metadata,
    ("POST", ""): bundles,
    ("GET", ""): search_system,
    ("POST", "_search"): search_system_post,
    ("GET", "_history"): history_system,
    ("GET", "{type}"): search_type,
    ("POST", "{type}/_search"): search_type_post,
    ("GET", "{type}/_history"): history_type,
    ("POST", "{type}"): create,
    ("PUT", "{type}"): conditional_update,
    ("PATCH", "{type}"): conditional_patch,
    ("DELETE", "{type}"): conditional_delete,
    ("GET", "{type}/{id}"): read,
    ("GET", "{type}/{id}/_history/{vid}"): vread,
    ("GET", "{type}/{id}/_history"): history_instance,
    ("PUT", "{type}/{id}"): update,
    ("PATCH", "{type}/{id}"): patch,
    ("DELETE", "{type}/{id}"): delete,
    ("GET", "{type}/{id}/{member}"): search_compartment,
    ("POST", "{type}/{id}/{member}/_search"): search_compartment_post,
    ("GET", "{type}/{id}/$everything"): everything,
    ("POST", "{type}/{id}/$everything"): everything_post,
    ("POST", "{type}/{id}/$emergency-access"): emergency_access,
    ("GET", "{type}/{id}/$explain-access"): explain_access,
    ("POST", "{type}/{id}/$explain-access"): explain_access_post,
    ("GET", "{type}/{id}/$access-log"): access_log,
    ("POST", "{type}/$preview"): preview_type,
    ("GET", "{type}/{id}/$preview"): preview_instance,
    ("POST", "{type}/{id}/$preview"): preview_instance_post,
    ("GET", "{type}/$lastn"): lastn,
    ("POST", "{type}/$lastn"): lastn_post,
    ("POST", "{type}/$validate"): validate_type,
    ("GET", "{type}/{id}/$validate"): validate_instance,
    ("POST", "{type}/{id}/$validate"): validate_instance_post,
    ("GET", "$meta"): meta_system,
    ("GET", "{type}/$meta"): meta_type,
    ("GET", "{type}/{id}/$meta"): meta_instance,
    ("GET", "{type}/{id}/_history/{vid}/$meta"): meta_version,
    ("POST", "{type}/{id}/$meta-add"): change_meta("$meta-add"),
    ("POST", "{type}/{id}/$meta-delete"): change_meta("$meta-delete"),
}
