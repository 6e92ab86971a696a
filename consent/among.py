"""A predicate asked of many resources at once: which of them it holds for, as the bits of one integer.

Equal to `evaluate` on each; a test is asked of a resource once, however many predicates hold it.
"""

from collections.abc import Sequence

from consent.model import Answer, ResourceFacts
from consent.predicate import All, Any, Certainly, Not, Possibly, Predicate
from consent.resource_tests import ResourceTest


class Among:
    """Answers about these resources; bit 0 is the first. Kept for one question: it grows with the tests it is asked."""

    def __init__(self, resources: Sequence[ResourceFacts]) -> None:
        self._resources = resources
        self._all = (1 << len(resources)) - 1
        # Of each test: where it answers YES, and where it does not answer NO.
        self._asked: dict[ResourceTest, tuple[int, int]] = {}

    def holds(self, predicate: Predicate) -> int:
        """The resources for which the predicate holds."""
        match predicate:
            case Certainly(test):
                return self._answers(test)[0]
            case Possibly(test):
                return self._answers(test)[1]
            case All(children):
                found = self._all
                for child in children:
                    found &= self.holds(child)
                return found
            case Any(children):
                found = 0
                for child in children:
                    found |= self.holds(child)
                return found
            case Not(child):
                return self._all & ~self.holds(child)

    def _answers(self, test: ResourceTest) -> tuple[int, int]:
        known = self._asked.get(test)
        if known is None:
            certainly, possibly, bit = 0, 0, 1
            for facts in self._resources:
                answer = test.ask(facts)
                if answer is not Answer.NO:
                    possibly |= bit
                    if answer is Answer.YES:
                        certainly |= bit
                bit <<= 1
            known = self._asked[test] = (certainly, possibly)
        return known


def indexes(bits: int) -> list[int]:
    """The places of the bits that are set, lowest first."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
