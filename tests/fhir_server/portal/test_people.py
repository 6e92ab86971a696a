"""What a page calls somebody, told by what they may read themselves."""

import asyncio

from fhir_server.portal.people import Described, described
from tests.fhir_server.inprocess import opened, organization, patient

PEOPLE = (
    patient("annie", name=[{"given": ["Annie"], "family": "Huijnen"}]),
    patient("leo", name=[{"text": "Leo Reijnders"}]),
    patient("nameless"),
    {
        "resourceType": "RelatedPerson",
        "id": "neighbour",
        "active": True,
        "patient": {"reference": "Patient/leo"},
        "name": [{"text": "Sjef Coumans"}],
    },
    {
        "resourceType": "Practitioner",
        "id": "arts",
        "name": [{"prefix": ["dr."], "given": ["Anna"], "family": "Vermeulen"}],
    },
    organization("praktijk", name="De Esdoorn"),
    {
        "resourceType": "PractitionerRole",
        "id": "huisarts",
        "practitioner": {"reference": "Practitioner/arts"},
        "organization": {"reference": "Organization/praktijk"},
    },
)


def test_people_are_called_by_their_own_name_and_for_whom_they_come() -> None:
    async def scenario() -> None:
        async with opened() as house:
            await house.given(*PEOPLE)
            expected = {
                "Patient/annie": Described("Patient/annie", "Annie Huijnen"),
                "Patient/nameless": Described("Patient/nameless", ""),
                "Patient/nobody": Described("Patient/nobody", ""),
                "Practitioner/arts": Described("Practitioner/arts", "dr. Anna Vermeulen"),
                "PractitionerRole/huisarts": Described("PractitionerRole/huisarts", "dr. Anna Vermeulen", "De Esdoorn"),
                "operator": Described("operator", ""),
            }
            for person, told in expected.items():
                assert await described(house.gateway, person) == told

    asyncio.run(scenario())


def test_whom_a_dossier_is_closed_to_is_not_told_its_patients_name() -> None:
    async def scenario() -> None:
        async with opened() as house:
            await house.given(*PEOPLE)
            told = await described(house.gateway, "RelatedPerson/neighbour")
            assert told.about == ""
            assert "Reijnders" not in repr(told)

    asyncio.run(scenario())
