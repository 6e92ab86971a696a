"""How specific a provision is, on four axes; and which of two beats the other.

The combiner `nl-gf`: A beats B only if it is at least as specific on all four axes and more so on one. Where one
element mixes kinds, a permit counts as the least specific of them and a deny as the most.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

from consent.model import Condition, Data, Effect, Party

Specificity: TypeAlias = tuple[int, int, int, int]
"""Holder, user, context, resource; higher is more specific."""

ANY_HOLDER: Final = 0
CATEGORY_HOLDER: Final = 1
INDIVIDUAL_HOLDER: Final = 2
NO_CONTEXT: Final = 0
PURPOSE_CONTEXT: Final = 1
EPISODE_CONTEXT: Final = 2
ANY_RESOURCE: Final = 0
PART_OF_RESOURCES: Final = 1
ONE_RESOURCE: Final = 2

_EPISODES: Final = frozenset({"Encounter", "EpisodeOfCare"})


def beats(one: Specificity, other: Specificity) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other))


def holder(condition: Condition, effect: Effect) -> int:
    """Individual over category over any: who keeps the record."""
    stated = condition.custodians
    if stated is None:
        return ANY_HOLDER
    kinds = [INDIVIDUAL_HOLDER if isinstance(actor, Party) else CATEGORY_HOLDER for actor in stated.values]
    return _mixed([*kinds, INDIVIDUAL_HOLDER] if stated.unclear else kinds, effect)


def context(condition: Condition, effect: Effect) -> int:
    """An episode or encounter over a purpose, which counts for denies only, over none."""
    around = NO_CONTEXT
    if condition.data is not None:
        kinds = [_context_of(item) for item in condition.data.values]
        around = _mixed([*kinds, EPISODE_CONTEXT] if condition.data.unclear else kinds, effect)
    if around == NO_CONTEXT and condition.purpose is not None and effect is Effect.DENY:
        return PURPOSE_CONTEXT
    return around


def resource(condition: Condition, effect: Effect) -> int:
    """Instance or related to one over author, code, class, label or period over none."""
    c = condition
    parts = (c.authors, c.code, c.class_, c.security_label, c.data_period, c.data)
    found = ANY_RESOURCE if all(part is None for part in parts) else PART_OF_RESOURCES
    if c.data is not None:
        kinds = [PART_OF_RESOURCES if item.meaning == "authoredby" else ONE_RESOURCE for item in c.data.values]
        found = max(found, _mixed([*kinds, ONE_RESOURCE] if c.data.unclear else kinds, effect))
    return found


def _context_of(item: Data) -> int:
    about = item.meaning in ("related", "dependents") and item.reference.partition("/")[0] in _EPISODES
    return EPISODE_CONTEXT if about else NO_CONTEXT


def _mixed(kinds: Iterable[int], effect: Effect) -> int:
    return max(kinds) if effect is Effect.DENY else min(kinds)
