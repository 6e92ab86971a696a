"""When a record is of, as it is filed: what has no end, and what has no date at all.

Both were found by the table of who sees what in the example wijk: a search left out what a read gave, and a Patient
became visible by filing everything anew.
"""

from typing import Any

import pytest

from tests.fhir_server.gateway.test_consent_policy import SCOPE, by, consent, permit
from tests.fhir_server.inprocess import Caller, House, opened, organization, patient

pytestmark = pytest.mark.anyio


async def gp_who_may_see(house: House, data_period: dict[str, Any]) -> Caller:
    await house.given(
        organization("o"),
        {"resourceType": "Practitioner", "id": "gp"},
        patient("p"),
        {
            "resourceType": "CarePlan",
            "id": "plan",
            "status": "active",
            "intent": "plan",
            "subject": {"reference": "Patient/p"},
            "period": {"start": "2026-06-01"},
        },
        consent("c", permit(by("Practitioner/gp"), dataPeriod=data_period)),
    )
    return await house.caller("Practitioner/gp", SCOPE)


async def test_what_has_no_end_lies_in_a_period_that_has_none() -> None:
    async with opened() as house:
        gp = await gp_who_may_see(house, {"start": "2026-01-01"})
        assert (await gp.get("CarePlan/plan")).status == 200
        assert (await gp.get("CarePlan")).ids == ["plan"]


async def test_what_has_no_end_does_not_lie_in_a_period_that_has_one() -> None:
    async with opened() as house:
        gp = await gp_who_may_see(house, {"start": "2026-01-01", "end": "2030-01-01"})
        assert (await gp.get("CarePlan/plan")).status == 404
        assert (await gp.get("CarePlan")).ids == []


@pytest.mark.parametrize(("start", "found"), [("2026-01-01", ["p"]), ("2027-01-01", [])])
async def test_what_no_date_tells_is_of_when_it_was_last_updated(start: str, found: list[str]) -> None:
    """The clock of these tests stands in September 2026."""
    async with opened() as house:
        gp = await gp_who_may_see(house, {"start": start})
        assert (await gp.get("Patient")).ids == found
        assert (await gp.get("Patient/p")).status == (200 if found else 404)
        await house.maintenance.reindex(lambda count: None)
        assert (await gp.get("Patient")).ids == found
        assert (await gp.get("Patient/p")).status == (200 if found else 404)
