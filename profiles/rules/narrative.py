"""The XHTML of a narrative: well-formed, only formatting, nothing active, nothing from outside, and not empty.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

import re
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

from profiles.rules.issue import Finding, Findings, token

XHTML: Final = "http://www.w3.org/1999/xhtml"
DEPTH_MAX: Final = 100  # nesting of elements; a narrative that needs more is an attack on whoever renders it

# txt-1: HTML 4.0 chapters 7–11 (without 9.4: ins and del) and 15, `a`, images and image maps.
ELEMENTS: Final = frozenset(
    """div span h1 h2 h3 h4 h5 h6 address bdo em strong dfn code samp kbd var cite abbr acronym blockquote q sub sup
    p br pre ul ol li dl dt dd table caption thead tfoot tbody colgroup col tr th td
    tt i b big small s u hr a img map area""".split()  # noqa: SIM905
)
_ANYWHERE = frozenset(
    "class id lang xml:lang dir title align valign width height border bgcolor char charoff clear".split()  # noqa: SIM905
)
_OF_ELEMENT: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(attributes.split())
    for name, attributes in {
        "a": "name href charset type hreflang rel rev shape coords accesskey tabindex",
        "area": "shape coords href nohref alt accesskey tabindex",
        "blockquote": "cite",
        "col": "span",
        "colgroup": "span",
        "hr": "noshade size",
        "img": "src alt longdesc usemap ismap hspace vspace name",
        "li": "type value",
        "map": "name",
        "ol": "type start compact",
        "pre": "space xml:space",
        "q": "cite",
        "table": "summary frame rules cellspacing cellpadding",
        "td": "abbr axis headers scope rowspan colspan nowrap",
        "th": "abbr axis headers scope rowspan colspan nowrap",
        "ul": "type compact",
    }.items()
}
_LINKS = frozenset({"href", "src", "cite", "longdesc", "usemap"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):")
_LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "urn", "ftp"})
_IMAGE = re.compile(r"data:image/(?:png|gif|jpeg|jpg|webp|svg\+xml)[;,]")
# Browsers skip white space and control characters inside a scheme: `java\nscript:` is `javascript:` to them.
_SKIPPED_BY_BROWSERS = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_STYLE_TRICKS = re.compile(r"expression\(|behaviou?r:|-moz-binding|@import|javascript:|vbscript:|\\")
_STYLE_URL = re.compile(r"url\(['\"]?([^)]*)")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


_NO_TAGS = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)
_TAG = re.compile(r"<(/?)[^\s<>/]+(?:\s+[^\s=<>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*(/?)>")


class _Refused(Exception):
    """The parser is left: a document type declaration or a processing instruction."""


class _Reader:
    """Collects what is wrong while expat reads one narrative."""

    __slots__ = ("content", "elements", "findings", "parser")

    def __init__(self) -> None:
        self.findings: Findings = []
        self.elements = 0
        self.content = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.CharacterDataHandler = self.text
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.ProcessingInstructionHandler = self.refuse

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements == 1 and (name != "div" or attributes.get("xmlns") != XHTML):
            self.say(f"the narrative is no `div` in the namespace `{XHTML}`")
        if name == "img":
            self.content = True
        if name not in ELEMENTS:
            self.say(f"element {token(name)} is not allowed in a narrative")
        elif attributes:
            self.attributes(name, attributes)

    def text(self, text: str) -> None:
        if text.strip(" \t\r\n"):
            self.content = True
            self.parser.CharacterDataHandler = None  # enough is known

    def refuse(self, *_: object) -> None:
        raise _Refused

    def attributes(self, name: str, attributes: dict[str, str]) -> None:
        for key, value in attributes.items():
            if key == "xmlns":
                if value != XHTML:
                    self.say(f"element `{name}` is in another namespace than that of xhtml")
            elif key == "style":
                if not _is_safe_style(value):
                    self.say(f"the style of element `{name}` brings in active or external content")
            elif key not in _ANYWHERE and key not in _OF_ELEMENT.get(name, ()):
                self.say(f"attribute {token(key)} is not allowed on element `{name}` of a narrative")
            elif key in _LINKS and not _is_safe_link(name, value):
                self.say(f"attribute `{key}` of element `{name}` is no link that a narrative may have")

    def say(self, text: str) -> None:
        self.findings.append(Finding("error", "invariant", f"txt-1: {text}"))


def check_narrative(div: object) -> Findings | None:
    """Return what is wrong with the value of an `xhtml` element, None when nothing is."""
    if not isinstance(div, str):
        return [Finding("error", "structure", f"a narrative is a json string, not {token(div)}")]
    reader = _Reader()
    parser = reader.parser
    try:
        parser.Parse(div, True)
    except _Refused:
        reader.say("a document type declaration or processing instruction is not allowed in a narrative")
    except (expat.ExpatError, UnicodeEncodeError) as error:
        # "undefined entity" also says that `&nbsp;` and its kin are HTML, not XML.
        reason = str(error).partition(":")[0] if isinstance(error, expat.ExpatError) else "lone surrogate"
        reader.say(f"the narrative is not well-formed xhtml: {reason}")
    finally:
        del reader.parser  # the parser holds the reader: leave no cycle for the garbage collector
    if reader.elements > DEPTH_MAX and _is_deeper(div, DEPTH_MAX):
        reader.say(f"elements are nested deeper than {DEPTH_MAX}")
    if reader.findings:
        return reader.findings
    if not reader.content:
        return [Finding("error", "invariant", "txt-2: the narrative has no content but white space")]
    return None


def _is_deeper(div: str, depth_max: int) -> bool:
    """Return whether elements are nested deeper, in a text that has been read before: only long ones come here."""
    depth = deepest = 0
    for tag in _TAG.finditer(_NO_TAGS.sub("", div)):
        if tag[1]:
            depth -= 1
        elif not tag[2]:
            depth += 1
            deepest = max(deepest, depth)
    return deepest > depth_max


def _is_safe_link(element: str, value: str) -> bool:
    target = _SKIPPED_BY_BROWSERS.sub("", value).lower()
    scheme = _SCHEME.match(target)
    if scheme is None or scheme[1] in _LINK_SCHEMES:
        return True
    return element == "img" and _IMAGE.match(target) is not None


def _is_safe_style(value: str) -> bool:
    style = _SKIPPED_BY_BROWSERS.sub("", _CSS_COMMENT.sub("", value)).lower()
    if _STYLE_TRICKS.search(style) is not None:
        return False
    # "Internally contained": a picture may be in the style itself or beside the resource, not on someone's server.
    return all(
        _IMAGE.match(target) is not None or not (_SCHEME.match(target) or target.startswith("//"))
        for target in _STYLE_URL.findall(style)
    )
