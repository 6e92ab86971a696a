"""Changes in the middle of a run: a Consent that is revoked, altered or given, a label that is raised, a role that ends.

Each is asked for over the API, by the patient or by the operator who keeps the directory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from tests.adversary.comparing import Pair, Turn
from tests.adversary.consents import random_consent
from tests.adversary.dossiers import A, ref
from tests.adversary.oracle import Oracle, pair
from tests.adversary.surface import Ask, Change
from tests.adversary.worlds import ENDED, World, label, owners

Json = dict[str, Any]
PATIENT: Final = f"Patient/{A}"
# What a patient may change of their own dossier without having made it.
_AROUND: Final = ("RelatedPerson", "CareTeam", "EpisodeOfCare", "Encounter")


@dataclass(frozen=True, slots=True)
class Turned:
    """A world, the change, and the world as it is then."""

    before: World
    who: str
    change: Change
    after: World

    @property
    def ask(self) -> Ask:
        type, id = self.change.place
        return Ask("DELETE", f"/{type}/{id}") if self.change.deleted else Ask("PUT", f"/{type}/{id}", dict(self.change.resource))  # fmt: skip

    def pair(self) -> Pair:
        """The two servers before the change, of which one never had what is hidden after it."""
        whole = pair(self.after, self.change.place if self.on_bare else None)
        return replace(whole, full=whole.full[:-1], bare=whole.bare[:-1])

    @property
    def on_bare(self) -> bool:
        """Whether the server without what is hidden has the resource that changes."""
        oracle = Oracle(self.after)
        return oracle.shown()[-1][-1] or self.change.place[0] == "Consent" or oracle.counts(self.change)

    def turn(self, before: list[Ask]) -> Turn:
        return Turn(before, self.who, self.ask, self.on_bare)


def random_turn(seed: int, world: World) -> Turned:
    """One change in a world."""
    random = Random(seed)
    choices = list(_changes(random, world))
    who, change = random.choice(choices)
    if who == "patient":
        change = replace(change, writer=PATIENT)
    return Turned(world, who, change, replace(world, batches=(*world.batches, (change,))))


def with_labels(world: World) -> Iterator[Turned]:
    """The world with a label on each of the Observations that the patient may change."""
    for type, id in sorted(world.current()):
        body = world.current()[type, id]
        if type == "Observation" and owners(id) == (A,) and "performer" not in body and id != "a-weight":
            for name in ("R", "V", "MH"):
                change = Change({**body, "meta": {**body["meta"], "security": [label(name)]}}, writer=PATIENT)
                yield Turned(world, "patient", change, replace(world, batches=(*world.batches, (change,))))


def _changes(random: Random, world: World) -> Iterator[tuple[str, Change]]:
    current = world.current()
    mine = [f"{kind}/{id}" for kind, id in sorted(current) if owners(id) == (A,) and kind != "Consent"]
    attributed = {target["reference"] for (kind, _), one in current.items() if kind == "Provenance" for target in one["target"]}  # fmt: skip
    for (kind, id), body in sorted(current.items(), key=lambda one: one[0]):
        if kind == "Consent" and owners(id) == (A,):
            yield "patient", Change(body, deleted=True)
            if "performer" not in body or ref(PATIENT) in body["performer"]:
                yield "patient", Change({**body, "status": "inactive" if body["status"] == "active" else "active"})
                yield "patient", Change({**random_consent(random, id, A, mine), "performer": [ref(PATIENT)]})
        elif owners(id) == (A,) and kind in _AROUND and f"{kind}/{id}" not in attributed and random.randrange(2):
            # What was in force ends, what had ended begins again.
            yield "patient", Change({**body, "period": {"start": "2019"} if body.get("period") == ENDED else ENDED})
        elif (
            kind == "Observation"
            and owners(id) == (A,)
            and "performer" not in body
            and f"{kind}/{id}" not in attributed
        ):
            labels = [label(random.choice(["R", "V", "MH"]))] if "security" not in body["meta"] else []
            meta = {name: value for name, value in body["meta"].items() if name != "security"}
            yield "patient", Change({**body, "meta": {**meta, **({"security": labels} if labels else {})}})
    for kind, id in (("PractitionerRole", "gp"), ("PractitionerRole", "nurse-here")):
        yield "operator", Change({**current[kind, id], "period": ENDED})
    for id in ("ward", "practice"):
        yield (
            "operator",
            Change({name: value for name, value in current["Organization", id].items() if name != "partOf"}),
        )
