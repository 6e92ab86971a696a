"""Who asks in the table of who sees what: every login in the example wijk that means something, with its purpose.

Purposes are of https://terminology.hl7.org/CodeSystem-v3-ActReason.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.examples.conftest import Resource, of_type

REASON = "bewusteloos binnengebracht"
TREATING = (
    "huisarts-vermeulen",
    "huisarts-el-amrani",
    "huisarts-wetzels",
    "waarnemer-el-amrani",
    "poh-ggz-daniels",
    "poh-ggz-kaya",
    "poh-somatiek-frijns",
    "wijkverpleegkundige-jansen",
    "wijkverpleegkundige-schoenmakers",
    "fysiotherapeut-hendriks",
    "apotheker-de-wit",
    "verloskundige-smeets",
    "psycholoog-ubachs",
    "internist-okafor",
    "verslavingsarts-heijnen",
    "dietist-muris",
)
HELPING = (
    "maatschappelijk-werker-claessen",
    "schuldhulpverlener-bouzid",
    "ouderenadviseur-dohmen",
    "mantelzorgconsulent-van-loo",
    "jongerenwerker-de-jong",
    "ervaringsdeskundige-gorissen",
    "vrijwilliger-crutzen",
    "vrijwilliger-nowak",
    "wijkinformateur-peters",
)
OTHERS = (
    ("PractitionerRole/poh-ggz-kaya", "CAREMGT"),
    ("PractitionerRole/waarnemer-el-amrani", "ETREAT"),
    ("PractitionerRole/huisarts-wetzels", "BTG"),
    ("PractitionerRole/huisarts-vermeulen", "HMARKT"),
    ("PractitionerRole/onderzoeker-lindeman", "HRESCH"),
    ("Organization/ggd-parkdal", "PUBHLTH"),
    ("Organization/zorgverzekeraar-de-steun", "HPAYMT"),
    ("Organization/zorgverzekeraar-de-steun", "CAREMGT"),
    ("Organization/leerhuis-wijkzorg", ""),
    ("Organization/gemeente-heerlen", ""),
    ("Device/app-mijn-bloeddruk", ""),
)


@dataclass(frozen=True, slots=True)
class Asker:
    """`login` is `Type/id`, `purpose` a v3 ActReason code or '' for none."""

    login: str
    purpose: str


def askers(wijk: dict[str, Resource]) -> Iterator[Asker]:
    """The residents and the people around them first, then whoever treats, helps, and asks for something else."""
    for patient in of_type(wijk, "Patient"):
        yield Asker(f"Patient/{patient['id']}", "PATRQT")
    for person in of_type(wijk, "RelatedPerson"):
        yield Asker(f"RelatedPerson/{person['id']}", "FAMRQT")
    for role in TREATING:
        yield Asker(f"PractitionerRole/{role}", "TREAT")
    for role in HELPING:
        yield Asker(f"PractitionerRole/{role}", "COC")
    for login, purpose in OTHERS:
        yield Asker(login, purpose)
