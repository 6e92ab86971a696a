"""Code systems with their hierarchy and value sets that can be enumerated, resolved on first use from the tables.

https://hl7.org/fhir/R4/valueset.html#compositions and https://hl7.org/fhir/R4/codesystem.html#hierarchy
"""

from collections.abc import Iterator, Sequence
from typing import Any


class CodeSystem:
    """A complete code system: which codes it has and which are above and below which (by its own hierarchy)."""

    def __init__(
        self, url: str, codes: Sequence[str], parents: Sequence[Any] = (), abstract: Sequence[int] = ()
    ) -> None:
        self.url = url
        self.codes: tuple[str, ...] = tuple(codes)
        self.abstract: frozenset[str] = frozenset(codes[i] for i in abstract)
        self._parents: dict[str, tuple[str, ...]] = dict.fromkeys(codes, ())
        for code, parent in zip(codes, parents):
            indexes = parent if isinstance(parent, list) else [] if parent == -1 else [parent]
            self._parents[code] = tuple(codes[i] for i in indexes)
        self._children: dict[str, list[str]] = {}
        for code, above in self._parents.items():
            for parent in above:
                self._children.setdefault(parent, []).append(code)

    def __contains__(self, code: object) -> bool:
        return code in self._parents

    def parents(self, code: str) -> tuple[str, ...]:
        """Return the codes directly above `code`; empty at the top, in a flat system, and for an unknown code."""
        return self._parents.get(code, ())

    def ancestors(self, code: str) -> frozenset[str]:
        """Return `code` and every code above it: what `:above` matches. Empty for an unknown code."""
        return self._closure(code, lambda c: self._parents[c])

    def descendants(self, code: str) -> frozenset[str]:
        """Return `code` and every code below it: what `:below` and `is-a` match. Empty for an unknown code."""
        return self._closure(code, lambda c: self._children.get(c, ()))

    def subsumes(self, above: str, below: str) -> bool:
        """Return whether `below` is `above` or stands below it; False when either is unknown."""
        return above in self.ancestors(below)

    def _closure(self, code: str, step: Any) -> frozenset[str]:
        # Concepts of version 3 systems can have several parents, so a code may be reached more than once.
        seen: set[str] = set()
        waiting = [code] if code in self else []
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting.extend(step(here))
        return frozenset(seen)


class ValueSet:
    """An enumerated value set: the (system, code) pairs that may be selected from it."""

    def __init__(self, url: str, codes: frozenset[tuple[str, str]]) -> None:
        self.url = url
        self._pairs = codes
        self._codes = frozenset(code for _, code in codes)

    @property
    def codes(self) -> Iterator[tuple[str, str]]:
        """The (system, code) pairs, sorted."""
        return iter(sorted(self._pairs))

    def __len__(self) -> int:
        return len(self._pairs)

    def contains(self, system: str | None, code: str) -> bool:
        """Return whether the value set has `code` of `system`, or of any system when that is None (data type code)."""
        return code in self._codes if system is None else (system, code) in self._pairs


class Terminology:
    """Code systems and value sets by canonical URL, made from their table rows when first asked for."""

    def __init__(self, codesystems: Sequence[Sequence[Any]], valuesets: Sequence[Sequence[Any]]) -> None:
        self._codesystem_rows = {row[0]: row for row in codesystems}
        self._valueset_rows = {row[0]: row for row in valuesets}
        self._codesystems: dict[str, CodeSystem] = {}
        self._valuesets: dict[str, ValueSet] = {}

    def codesystem(self, url: str) -> CodeSystem | None:
        """Return the code system, None when the tables do not hold it."""
        found = self._codesystems.get(url)
        if found is None and url in self._codesystem_rows:
            found = self._codesystems[url] = CodeSystem(*self._codesystem_rows[url])
        return found

    def valueset(self, url: str) -> ValueSet | None:
        """Return the value set, None when its codes cannot be enumerated from the tables."""
        found = self._valuesets.get(url)
        if found is None and url in self._valueset_rows:
            _, include, *exclude = self._valueset_rows[url]
            pairs = self._union(include)
            if exclude:
                pairs -= self._union(exclude[0])
            found = self._valuesets[url] = ValueSet(url, frozenset(pairs))
        return found

    def _union(self, clauses: Sequence[Sequence[Any]]) -> set[tuple[str, str]]:
        return {pair for clause in clauses for pair in self._clause(clause)}

    def _clause(self, clause: Sequence[Any]) -> set[tuple[str, str]]:
        system, *rest = clause
        if not system:  # several value sets in one include: a code has to be in all of them
            sets = [set(found.codes) for url in rest if (found := self.valueset(url)) is not None]
            return set.intersection(*sets)
        if rest and isinstance(rest[0], list):
            return {(system, code) for code in rest[0]}
        whole = self.codesystem(system)
        assert whole is not None, system  # INVARIANT: the build keeps clauses of known systems only
        if not rest:
            codes = set(whole.codes)
        else:
            operator, root = rest
            codes = set(whole.descendants(root)) - ({root} if operator == "descendent-of" else set())
        return {(system, code) for code in codes - whole.abstract}  # headings are there to group, not to be used
