"""A smaller world in which two servers still differ: what a reader of a counterexample needs to see, and little else."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.adversary.surface import Change
from tests.adversary.worlds import World, possible

Differs = Callable[[World], bool]
SECONDS_MAX = 120.0


def smallest(world: World, differs: Differs) -> World:
    """The world without the changes that do not matter: half of them at a time, then a quarter, down to one by one."""
    until = time.monotonic() + SECONDS_MAX
    places = [(number, change) for number, batch in enumerate(world.batches) for change in batch]
    size = len(places) // 2
    while size:
        start = 0
        while start < len(places) and time.monotonic() < until:
            fewer = places[:start] + places[start + size :]
            if differs(_of(world, fewer)):
                places = fewer
            else:
                start += size
        size //= 2
    return _of(world, places)


def _of(world: World, places: Sequence[tuple[int, Change]]) -> World:
    """The world of these changes, as far as they are possible: nothing is deleted that was never there."""
    numbers = range(len(world.batches))
    first = {change.place for _, change in places if not change.deleted}
    kept = {id(one) for one in possible([one for _, one in places])}
    places = [(at, one) for at, one in places if one.place in first and id(one) in kept]
    return replace(world, batches=tuple(tuple(one for at, one in places if at == number) for number in numbers))


def told(world: World) -> str:
    """The world in words: who asks, and each change on a line, without what only marks it."""
    lines = [f"base policy {world.base_policy}; {world.terms}"]
    for number, batch in enumerate(world.batches):
        for change in batch:
            body = {name: value for name, value in change.resource.items() if name not in ("text", "identifier")}
            body["meta"] = {name: value for name, value in body.get("meta", {}).items() if name != "tag"}
            lines.append(f"{number}: {'deleted ' if change.deleted else ''}{json.dumps(body)}")
    return "\n".join(lines)
