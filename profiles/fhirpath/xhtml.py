"""`htmlChecks()`: whether a narrative holds only what FHIR allows (https://hl7.org/fhir/R4/narrative.html#xhtml)."""

from functools import lru_cache

from lxml import etree

NAMESPACE = "{http://www.w3.org/1999/xhtml}"
# Chapters 7 to 11 (section 4 of chapter 9 aside) and 15 of HTML 4.0, `a` and `img`; nothing that acts, loads or asks.
_ELEMENTS = """
div p br hr h1 h2 h3 h4 h5 h6 span a img b i u s strike tt big small em strong dfn code samp kbd var cite abbr acronym q
blockquote sub sup pre ul ol li dl dt dd table caption thead tfoot tbody tr th td colgroup col address bdo font center
ins del map area
"""
_ATTRIBUTES = """
title style class id lang dir accesskey tabindex span width align valign char charoff abbr axis headers scope rowspan
colspan summary border frame rules cellspacing cellpadding href hreflang name rel rev src alt longdesc height usemap ismap
shape coords nohref cite datetime type start value compact noshade size color face nowrap bgcolor clear charset
{http://www.w3.org/XML/1998/namespace}lang {http://www.w3.org/XML/1998/namespace}space
"""
ELEMENTS = frozenset(NAMESPACE + name for name in _ELEMENTS.split())
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_UNSAFE_LINK = ("javascript:", "vbscript:", "data:text")


@lru_cache(maxsize=256)
def is_safe(text: str) -> bool:
    """Whether `text` is one well-formed XHTML `div` with allowed elements and attributes only, and some content.

    FHIR's txt-1 (allowed content) and txt-2 (not only white space) together.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return False
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return False
    if root.tag != NAMESPACE + "div":
        return False
    filled = False
    for element in root.iter():
        if element.tag not in ELEMENTS or not all(map(_allowed, element.attrib.items())):
            return False
        if not filled:
            own = element.text or ""
            after = (element.tail or "") if element is not root else ""
            filled = bool(own.strip() or after.strip() or element.tag == NAMESPACE + "img")
    return filled


def _allowed(attribute: tuple[str, str]) -> bool:
    name, value = attribute
    if name not in ATTRIBUTES:
        return False
    return name not in ("href", "src") or not value.strip().lower().startswith(_UNSAFE_LINK)
