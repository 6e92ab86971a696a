"""Questionnaires with our own texts: the resident's health web, and the wijk's self-evaluation.

https://hl7.org/fhir/R4/questionnaire.html; the names of the six dimensions are common property, the questions are ours.
"""

from examples.author.elements import BASE, THEME, Json, coding, resource
from examples.author.measurements import DIMENSIONS

_ABOUT = {
    "lichaamsfuncties": "Hoe voelt mijn lijf: energie, pijn, slapen, bewegen?",
    "mentaal-welbevinden": "Hoe gaat het in mijn hoofd: rust, stemming, onthouden?",
    "zingeving": "Waar kom ik mijn bed voor uit?",
    "kwaliteit-van-leven": "Geniet ik, en voel ik me thuis in mijn huis en mijn buurt?",
    "meedoen": "Heb ik mensen om me heen, en doe ik iets waar anderen wat aan hebben?",
    "dagelijks-functioneren": "Lukken de gewone dingen: koken, geld, afspraken, hulp vragen?",
}
# Parts A to D of the Kwaliteitskader, in questions of our own.
_PARTS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "A",
        "Coördinatiepunt",
        (
            ("inloop", "Is er een inlooplek die elke werkdag open is?"),
            ("afspraken", "Staan de afspraken tussen formele en informele zorg op papier?"),
            ("leerplek", "Leren en werken bewoners, studenten en professionals op één plek samen?"),
        ),
    ),
    (
        "B",
        "Wijkinformatiepunt",
        (
            ("een-dak", "Zit het informatiepunt onder één dak met een ontmoetingsruimte?"),
            ("wijkanalyse", "Zijn doelen afgesproken op basis van een wijkanalyse?"),
            ("vaardigheden", "Houdt het aanbod rekening met verschillen in gezondheidsvaardigheden?"),
        ),
    ),
    (
        "C",
        "Basiszorg",
        (
            ("teams", "Werken zorgteams rond de persoon en zijn netwerk?"),
            ("vijftien-procent", "Zetten professionals vijftien procent van hun tijd in voor de wijk?"),
            ("evaluatie", "Worden zorg en werkwijze samen geëvalueerd?"),
        ),
    ),
    (
        "D",
        "ICT-aanspreekpunt",
        (
            ("regie", "Is er een procesverantwoordelijke voor gegevens en ICT?"),
            ("sociale-kaart", "Wordt één sociale kaart bijgehouden?"),
            ("eigen-dossier", "Beslist de bewoner wie in het eigen dossier kijkt?"),
        ),
    ),
)


def resources() -> list[Json]:
    return [_health_web(), _self_evaluation()]


def _questionnaire(item_id: str, name: str, title: str, subject: str, description: str, items: list[Json]) -> Json:
    return resource(
        "Questionnaire",
        item_id,
        url=f"{BASE}/Questionnaire/{item_id}",
        version="1.0.0",
        name=name,
        title=title,
        status="active",
        experimental=True,
        subjectType=[subject],
        date="2026-01-01",
        publisher="wijkdossier (voorbeeld)",
        description=description,
        item=items,
    )


def _health_web() -> Json:
    items: list[Json] = [
        {
            "linkId": f"{key}-cijfer",
            "code": [coding(THEME, key, label)],
            "prefix": str(number),
            "text": f"{label}: {_ABOUT[key]} Geef een cijfer van 0 tot 10.",
            "type": "integer",
            "required": True,
        }
        for number, (key, label) in enumerate(DIMENSIONS.items(), start=1)
    ]
    items.append({"linkId": "wens", "text": "Wat wil ik graag anders?", "type": "text", "maxLength": 500})
    return _questionnaire(
        "mijn-gezondheidsweb",
        "MijnGezondheidsweb",
        "Mijn gezondheidsweb",
        "Patient",
        "Zes cijfers en een wens: zo gaat het met mij, volgens mij.",
        items,
    )


def _self_evaluation() -> Json:
    items: list[Json] = [
        {
            "linkId": part,
            "prefix": part,
            "text": title,
            "type": "group",
            "item": [
                {"linkId": f"{part}.{key}", "text": text, "type": "boolean", "required": True}
                for key, text in questions
            ]
            + [{"linkId": f"{part}.toelichting", "text": "Toelichting", "type": "text"}],
        }
        for part, title, questions in _PARTS
    ]
    return _questionnaire(
        "zelfevaluatie-wijk",
        "ZelfevaluatieWijk",
        "Zelfevaluatie van de wijk",
        "Organization",
        "Hoe staat de wijk ervoor op de vier onderdelen A tot en met D?",
        items,
    )
