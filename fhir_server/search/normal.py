"""How text is made comparable: casefolded, without accents, with white space folded.

https://hl7.org/fhir/R4/search.html#string
"""

import re
import unicodedata
from html import unescape

_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_WORD = re.compile(r"\w+")


def normal(text: str) -> str:
    """Return the text as strings are compared: `  Müller ` → `muller`."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()
    return " ".join(text.lower().split())


def words(text: str) -> tuple[str, ...]:
    """Return the normalised words of the text, in order: what `_text` and `_content` compare."""
    return tuple(_WORD.findall(normal(text)))


def strip_tags(xhtml: str) -> str:
    """Return the normalised text of a narrative; tags separate words, as block elements do on a page."""
    return normal(unescape(_TAG.sub(" ", xhtml)))
