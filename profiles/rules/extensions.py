"""Extensions: a url that identifies the definition, and a word of warning where one changes the meaning.

https://hl7.org/fhir/R4/extensibility.html
"""

from collections.abc import Mapping
from typing import Any

from profiles.rules.issue import Finding, Findings, token
from profiles.rules.references import SCHEME
from profiles.rules.scope import Scope


def check_url(value: Mapping[str, Any], scope: Scope) -> Findings | None:
    """Return a finding when the url of an extension that stands in no other extension is not absolute."""
    url = value.get("url")
    if not isinstance(url, str) or SCHEME.match(url) is not None:
        return None  # absent, or reported as no uri
    return [Finding("error", "extension", f"the url {token(url)} of an extension must be absolute", ".url")]


def check_modifier(value: Mapping[str, Any], scope: Scope) -> Findings | None:
    """As `check_url`, with a warning: who does not know a modifier must not process what it modifies."""
    url = value.get("url")
    text = f"modifier extension {token(url)} is not known here" if isinstance(url, str) else "modifier without a url"
    return [*(check_url(value, scope) or ()), Finding("warning", "extension", text)]
