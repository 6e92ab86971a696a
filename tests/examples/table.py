"""The table of who sees what, as Markdown that a nurse can read: a section for each resident, a row for equal answers.

In Dutch and in English, from what was seen and from the words of the example wijk itself.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from consent.references import local
from tests.examples.askers import Asker
from tests.examples.conftest import Resource, of_type

Text = tuple[str, str]
"""Dutch, English."""

KINDS: dict[str, tuple[str, str, str, str]] = {  # one and several, in Dutch; one and several, in English
    "AllergyIntolerance": ("allergie", "allergieën", "allergy", "allergies"),
    "Appointment": ("afspraak", "afspraken", "appointment", "appointments"),
    "Binary": ("bijlage", "bijlagen", "attachment", "attachments"),
    "CarePlan": ("plan", "plannen", "plan", "plans"),
    "CareTeam": ("team", "teams", "team", "teams"),
    "Communication": ("bericht", "berichten", "message", "messages"),
    "Condition": ("diagnose", "diagnoses", "diagnosis", "diagnoses"),
    "Consent": ("toestemming", "toestemmingen", "consent", "consents"),
    "Coverage": ("verzekering", "verzekeringen", "insurance", "insurances"),
    "DocumentReference": ("verslag", "verslagen", "report", "reports"),
    "Encounter": ("contact", "contacten", "encounter", "encounters"),
    "EpisodeOfCare": ("zorgtraject", "zorgtrajecten", "episode of care", "episodes of care"),
    "Flag": ("waarschuwing", "waarschuwingen", "warning", "warnings"),
    "Goal": ("doel", "doelen", "goal", "goals"),
    "Group": ("groep", "groepen", "group", "groups"),
    "Immunization": ("vaccinatie", "vaccinaties", "vaccination", "vaccinations"),
    "MedicationRequest": ("recept", "recepten", "prescription", "prescriptions"),
    "MedicationStatement": ("medicijn in gebruik", "medicijnen in gebruik", "medicine in use", "medicines in use"),
    "Observation": ("meting", "metingen", "measurement", "measurements"),
    "Patient": ("naam en adres", "namen en adressen", "name and address", "names and addresses"),
    "Procedure": ("verrichting", "verrichtingen", "procedure", "procedures"),
    "QuestionnaireResponse": ("vragenlijst", "vragenlijsten", "questionnaire", "questionnaires"),
    "RelatedPerson": ("naaste", "naasten", "relation", "relations"),
    "ServiceRequest": ("verwijzing", "verwijzingen", "referral", "referrals"),
    "Task": ("taak", "taken", "task", "tasks"),
}
PURPOSES: dict[str, Text] = {
    "PATRQT": ("eigen dossier", "own record"),
    "FAMRQT": ("als naaste", "as a relation"),
    "TREAT": ("behandeling", "treatment"),
    "COC": ("afstemming van hulp", "coordination of help"),
    "CAREMGT": ("zorgprogramma", "care programme"),
    "ETREAT": ("behandeling in nood", "emergency treatment"),
    "BTG": ("noodknop", "emergency button"),
    "HMARKT": ("reclame", "marketing"),
    "HRESCH": ("onderzoek", "research"),
    "HPAYMT": ("betaling", "payment"),
    "PUBHLTH": ("gezondheid van iedereen", "public health"),
    "": ("geen doel genoemd", "no purpose stated"),
}
_STATUS = {"proposed": "voorstel", "inactive": "ingetrokken", "rejected": "vervallen"}
_FIRST_CONTACT = "Eerste contactpersoon"
_HEAD = """# Wie ziet wat in de voorbeeldwijk · Who sees what in the example wijk

Gemaakt door `tests/examples/test_who_sees_what.py`, op {day}: een hele server, iedereen met een eigen token, en wat zoeken oplevert.
Dezelfde test rekent het na met een tweede, traag programma dat de regels uit de tekst leest.

Made by `tests/examples/test_who_sees_what.py`, as of {day}: a whole server, everybody with a token of their own, and what searching
finds. The same test works it out again with a second, slow program that reads the rules from the text.

*Alles* van een ander is zonder de toestemmingen: die zijn voor de bewoner en wie de bewoner vertegenwoordigt. Wie in een deel niet
genoemd wordt, ziet daar niets. Wie iets zelf heeft opgeschreven, leest dat terug.

*Everything* of somebody else is without the consents: these are for the resident and whoever represents them. Whoever is not named in a
section sees nothing there. Whoever wrote something reads it back.

Gevraagd is het {count} keer · It was asked {count} times: de bewoners en hun naasten, en dan · the residents and their relations, and then

{askers}
"""


class Table:
    """`dossiers`: resident (`Patient/id`) → `Type/id` of what is about them and nobody else; `shared` is about several."""

    def __init__(
        self, wijk: Mapping[str, Resource], dossiers: Mapping[str, list[str]], shared: list[str], day: str
    ) -> None:
        self._wijk = wijk
        self._day = day
        self._dossiers = dossiers
        self._shared = shared

    def markdown(self, seen: Mapping[Asker, frozenset[str]]) -> str:
        others = [asker for asker in seen if not asker.login.startswith(("Patient/", "RelatedPerson/"))]
        listed = "\n".join(f"- {' / '.join(PURPOSES[purpose])}: {who}" for purpose, who in self._by_purpose(others))
        parts = [_HEAD.format(day=self._day, count=len(seen), askers=listed)]
        parts += [self._section(patient, seen) for patient in self._dossiers]
        parts += [self._together(reference, seen) for reference in self._shared]
        return "\n".join(parts)

    def _by_purpose(self, askers: list[Asker]) -> Iterator[tuple[str, str]]:
        for purpose in PURPOSES:
            names = [self.name(asker.login) for asker in askers if asker.purpose == purpose]
            if names:
                yield purpose, ", ".join(names)

    def _section(self, patient: str, seen: Mapping[Asker, frozenset[str]]) -> str:
        relations = [
            f"RelatedPerson/{person['id']}"
            for person in of_type(dict(self._wijk), "RelatedPerson")
            if local(person["patient"]) == patient
        ]
        lines = [f"## {called(self._wijk[patient])}", "", *self._says(patient), ""]
        lines += self._rows(frozenset(self._dossiers[patient]), seen, relations)
        return "\n".join(lines) + "\n"

    def _says(self, patient: str) -> Iterator[str]:
        for consent in of_type(dict(self._wijk), "Consent"):
            if local(consent["patient"]) == patient:
                sentence = re.search(r"<p>(.*?)</p>", consent["text"]["div"])
                assert sentence is not None
                end = consent.get("provision", {}).get("period", {}).get("end", "9999")
                status = _STATUS.get(consent["status"], "voorbij" if end < self._day else "")
                yield f"- {sentence[1]}" + (f" *({status})*" if status else "")

    def _together(self, reference: str, seen: Mapping[Asker, frozenset[str]]) -> str:
        item = self._wijk[reference]
        names = [called(self._wijk[local(member["entity"])]) for member in item["member"]]
        both = f"## {item['name']}: {' en '.join(names)}"
        why = "- Dit gaat over meer dan één bewoner: alleen wie van ieder van hen mag, ziet het."
        return "\n".join([both, "", why, "", *self._rows(frozenset({reference}), seen, [])]) + "\n"

    def _rows(self, whole: frozenset[str], seen: Mapping[Asker, frozenset[str]], relations: list[str]) -> Iterator[str]:
        yield "| wie | waarvoor | ziet | for | sees |"
        yield "|---|---|---|---|---|"
        alike: dict[tuple[str, frozenset[str]], list[str]] = {}
        for asker, found in seen.items():
            if found & whole:
                alike.setdefault((asker.purpose, found & whole), []).append(self.name(asker.login))
        for (purpose, found), names in alike.items():
            (why, to_what_end), (dutch, english) = PURPOSES[purpose], sees(found, whole)
            yield f"| {', '.join(names)} | {why} | {dutch} | {to_what_end} | {english} |"
        nothing = [
            self.name(asker.login) for asker, found in seen.items() if asker.login in relations and not found & whole
        ]
        yield f"| {', '.join([*nothing, 'alle anderen'])} | | niets | | nothing |"

    def name(self, login: str) -> str:
        """Whom a login means, in words."""
        item = self._wijk[login]
        match item["resourceType"]:
            case "Patient":
                return f"**{called(item)}**"
            case "RelatedPerson":
                relations = [concept["text"] for concept in item["relationship"] if concept["text"] != _FIRST_CONTACT]
                return f"{item['name'][0]['text']} ({', '.join(relations).lower()})"
            case "PractitionerRole":
                family = self._wijk[local(item["practitioner"])]["name"][0]["family"]
                workplace = self._wijk[local(item["organization"])]["name"]
                return f"{item['code'][0]['text'].lower()} {family} ({workplace})"
            case "Device":
                return str(item["deviceName"][0]["name"])
        return str(item["name"])


def called(patient: Resource) -> str:
    """The name that people use."""
    official, *usual = patient["name"]
    return f"{(usual or [official])[0]['given'][0]} {official['family']}"


def sees(found: frozenset[str], whole: frozenset[str]) -> Text:
    """What somebody sees who has found these of the whole dossier, which is something."""
    consents = frozenset(reference for reference in whole if reference.startswith("Consent/"))
    if found == whole:
        return "alles", "everything"
    if found == whole - consents:
        return "alles, behalve de toestemmingen", "everything but the consents"
    lacking = whole - consents - found
    these: Text = (_listed(found, 0), _listed(found, 1))
    but: Text = (f"alles, behalve {_listed(lacking, 0)}", f"everything but {_listed(lacking, 1)}")
    return min(these, but, key=lambda text: len(text[0]))


def _listed(references: frozenset[str], language: int) -> str:
    """`3 metingen en 1 taak`, the most numerous first."""
    counts = Counter(reference.partition("/")[0] for reference in references)
    words = []
    for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        words.append(f"{count} {KINDS[kind][2 * language + (count > 1)]}")
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {('en', 'and')[language]} {words[-1]}"
