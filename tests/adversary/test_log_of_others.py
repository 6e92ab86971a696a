"""A resident's log tells what others did with their dossier, and nothing of what they did with somebody else's."""

import re
from pathlib import Path

import pytest

from tests.adversary.comparing import normal
from tests.adversary.dossiers import KINDS, STEPS, Step
from tests.adversary.surface import Answer, Ask, folder_settings, furnish, running

pytestmark = pytest.mark.anyio

# Asked by a practitioner; each meets resources of both residents, or of one only where the other was never there. What
# is met of A's does not depend on the other's being there: includes that lead from one to the other would make it so.
QUESTIONS = (
    "/Patient?birthdate=1950",
    "/Patient?name=mrk&_include=*",
    "/Observation?code=weight",
    "/Observation?patient=Patient/resident-a",
    "/Observation?patient=Patient/resident-a,Patient/resident-b",
    "/Patient/resident-a/$everything",
    "/_history?_count=1000",
    "/Patient/resident-a",
    "/?_type=Patient,Observation",
)
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_log_is_the_same_whoever_else_was_met(question: str, tmp_path: Path) -> None:
    full = await log_after(question, tmp_path / "full", list(STEPS))
    bare = await log_after(question, tmp_path / "bare", [step for step in STEPS if step.audience[0] != "b"])
    assert full.json["entry"], "there is something in the log"
    assert normal(full, loose=True) == normal(bare, loose=True)
    # A made id says by its version number how it was made, and that may not depend on others either.
    assert _ID.findall(full.body) == _ID.findall(bare.body)


async def log_after(question: str, folder: Path, steps: list[Step]) -> Answer:
    settings = folder_settings(folder, base_policy="permit")
    steps = [step for step in steps if step.audience != "moved"]  # that stood in this very dossier, and its log says so
    terms = {"resident": KINDS["the resident"].terms, "practitioner": KINDS["a practitioner where all is open"].terms}
    furnished = await furnish(settings, [[step.change] for step in steps], {k: v for k, v in terms.items() if v})
    async with running(settings) as surface:
        asked = await surface.ask(Ask("GET", question), furnished.tokens["practitioner"])
        assert asked.status == 200, asked.body
        return await surface.ask(Ask("GET", "/AuditEvent?_sort=-date&_count=1"), furnished.tokens["resident"])
