"""SMART scopes: version 2 grammar with `?param=value` constraints, and version 1 read as version 2.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

Context = Literal["patient", "user", "system"]
Action = Literal["c", "r", "u", "d", "s"]

# Version 1 letters: `.read` ⇒ `.rs`, `.write` ⇒ `.cud`, `.*` ⇒ `.cruds`.
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE = re.compile(r"(patient|user|system)/([A-Za-z]+|\*)\.(read|write|\*|c?r?u?d?s?)(?:\?(.+))?")


@dataclass(frozen=True, slots=True)
class Scope:
    """One granted scope. `type` may be `*`; `actions` is a part of `cruds`; `parameters` narrow what it reaches."""

    context: Context
    type: str
    actions: str
    parameters: tuple[tuple[str, str], ...] = ()

    def covers(self, resource_type: str, action: Action) -> bool:
        return action in self.actions and self.type in (resource_type, "*")


def parse(text: str, resource_types: Collection[str]) -> tuple[Scope, ...]:
    """The FHIR scopes in a space-separated scope string: what cannot be read is dropped, duplicates are merged.

    Scopes of one context, type and constraint become one with the union of their letters.
    """
    merged: dict[tuple[Context, str, tuple[tuple[str, str], ...]], str] = {}
    for word in text.split():
        match = _SCOPE.fullmatch(word)
        if match is None:
            continue  # openid, launch, offline_access …: they grant nothing here
        context, resource_type, letters, query = match.groups()
        if resource_type != "*" and resource_type not in resource_types:
            continue
        parameters = tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
        if query and not parameters:
            continue  # a constraint that cannot be read must not widen into no constraint
        key = (_context(context), resource_type, parameters)
        merged[key] = merged.get(key, "") + _VERSION_1.get(letters, letters)
    return tuple(
        Scope(context, resource_type, "".join(a for a in "cruds" if a in actions), parameters)
        for (context, resource_type, parameters), actions in merged.items()
        if actions
    )


def _context(text: str) -> Context:
    if text == "patient":
        return "patient"
    return "user" if text == "user" else "system"
