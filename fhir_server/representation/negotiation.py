"""What form the client sends and wants: Content-Type, Accept, `_format`, `_pretty`, `_summary`, `_elements`, Prefer.

https://hl7.org/fhir/R4/http.html#mime-type
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fhir_server.outcome import Category, FhirError

Format = Literal["json", "xml", "native"]
Summary = Literal["true", "text", "data", "count", "false"]
Return = Literal["representation", "minimal", "OperationOutcome"]
Sent = Literal["json", "xml", "json-patch", "form", "native"]

FORMATS: Mapping[str, Format] = {
    "application/fhir+json": "json",
    "application/json": "json",
    "text/json": "json",
    "json": "json",
    "application/fhir+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "xml": "xml",
}
# Parameters that say how an answer is to look, whatever the interaction.
FORM_PARAMETERS = frozenset({"_format", "_pretty", "_summary", "_elements"})
EXPLICIT = frozenset({"application/fhir+json", "application/fhir+xml"})
CONTENT_TYPES: Mapping[Format, str] = {
    "json": "application/fhir+json; charset=utf-8",
    "xml": "application/fhir+xml; charset=utf-8",
}
SUMMARIES: Mapping[str, Summary] = {"true": "true", "text": "text", "data": "data", "count": "count", "false": "false"}
RETURNS: Mapping[str, Return] = {
    "representation": "representation",
    "minimal": "minimal",
    "OperationOutcome": "OperationOutcome",
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """How an answer is to look. `elements` () means all; `native` asks for the bytes of a Binary as they are."""

    format: Format = "json"
    pretty: bool = False
    summary: Summary = "false"
    elements: tuple[str, ...] = ()


DEFAULT = Preferences()


def negotiate(
    headers: Mapping[str, str], parameters: Sequence[tuple[str, str]], *, binary: bool = False
) -> Preferences:
    """The preferences of a request; `binary` says that it reads Binary, whose native form is then the default.

    Raises FhirError: NOT_ACCEPTABLE where nothing acceptable is offered, VALUE for a malformed parameter.
    """
    accept = headers.get("accept", "")
    if not parameters and not binary and (accept in ("", "*/*") or accept in EXPLICIT):
        return DEFAULT if accept != "application/fhir+xml" else Preferences("xml")
    asked = {name: value for name, value in parameters if name in FORM_PARAMETERS}
    return Preferences(
        format=_format(asked.get("_format"), accept, binary),
        pretty=_boolean("_pretty", asked.get("_pretty")),
        summary=_summary(asked.get("_summary")),
        elements=tuple(name for name in asked.get("_elements", "").split(",") if name),
    )


def sent(headers: Mapping[str, str], *, binary: bool = False) -> Sent:
    """What the body of a request is. Without a Content-Type it is JSON. Raises FhirError(MEDIA_TYPE)."""
    media_type, parameters = _media_type(headers.get("content-type", "application/fhir+json"))
    _check_version(parameters, Category.MEDIA_TYPE)
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise FhirError(Category.MEDIA_TYPE, "the body must be in UTF-8")
    if media_type == "application/json-patch+json":
        return "json-patch"
    if media_type == "application/x-www-form-urlencoded":
        return "form"
    known = FORMATS.get(media_type)
    if binary and media_type not in EXPLICIT:
        return "native"
    if known == "json":
        return "json"
    if known == "xml":
        return "xml"
    raise FhirError(Category.MEDIA_TYPE, f"content type `{media_type[:60]}` is not application/fhir+json or +xml")


def prefer_return(headers: Mapping[str, str]) -> Return:
    """`Prefer: return=…`; representation if it is not said. https://hl7.org/fhir/R4/http.html#return"""
    return RETURNS.get(_preference(headers, "return"), "representation")


def prefer_lenient(headers: Mapping[str, str]) -> bool:
    """`Prefer: handling=lenient`. https://hl7.org/fhir/R4/search.html#errors"""
    return _preference(headers, "handling") == "lenient"


def _preference(headers: Mapping[str, str], name: str) -> str:
    for part in headers.get("prefer", "").replace(";", ",").split(","):
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def _format(asked: str | None, accept: str, binary: bool) -> Format:
    if asked is not None:
        # In a query string `+` is a space, and many clients leave it as it is.
        media_type, parameters = _media_type(asked.replace(" ", "+"))
        _check_version(parameters, Category.NOT_ACCEPTABLE)
        if media_type not in FORMATS:
            raise FhirError(Category.NOT_ACCEPTABLE, f"`_format` must be json or xml, not `{asked[:60]}`")
        return FORMATS[media_type]
    ranked: list[tuple[float, int, Format]] = []
    others = False
    for position, item in enumerate(accept.split(",") if accept else ()):
        media_type, parameters = _media_type(item)
        quality = _quality(parameters.get("q", "1"))
        if quality <= 0:
            continue
        if binary and media_type not in EXPLICIT:
            others = True
        elif media_type in FORMATS:
            _check_version(parameters, Category.NOT_ACCEPTABLE)
            ranked.append((-quality, position, FORMATS[media_type]))
        elif media_type in ("*/*", "application/*", "text/*", "text/html"):
            ranked.append((-quality, position, "json"))
    if ranked:
        return min(ranked)[2]
    if binary and (others or not accept):
        return "native"
    if not accept:
        return "json"
    raise FhirError(Category.NOT_ACCEPTABLE, "this server answers in application/fhir+json and application/fhir+xml")


def _media_type(text: str) -> tuple[str, dict[str, str]]:
    media_type, *rest = text.split(";")
    parameters: dict[str, str] = {}
    for part in rest:
        name, _, value = part.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return media_type.strip().lower(), parameters


def _check_version(parameters: Mapping[str, str], category: Category) -> None:
    version = parameters.get("fhirversion", "4.0")
    if not (version == "4.0" or version.startswith("4.0.")):
        raise FhirError(category, f"this server speaks FHIR version 4.0, not `{version[:20]}`")


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _boolean(name: str, text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise FhirError(Category.VALUE, f"`{name}` is true or false, not `{text[:40]}`", (name,))
    return text == "true"


def _summary(text: str | None) -> Summary:
    if text is None:
        return "false"
    if text not in SUMMARIES:
        raise FhirError(
            Category.VALUE, f"`_summary` is true, text, data, count or false, not `{text[:40]}`", ("_summary",)
        )
    return SUMMARIES[text]
