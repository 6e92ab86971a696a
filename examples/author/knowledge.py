"""What can be done again elsewhere: lifestyle interventions, training, playbooks, and how results are counted.

https://hl7.org/fhir/R4/activitydefinition.html, https://hl7.org/fhir/R4/plandefinition.html, https://hl7.org/fhir/R4/measure.html
"""

from typing import Any

from examples.author import codesystems, questionnaires
from examples.author.elements import BASE, THEME, THO, Json, coding, concept, ref, resource

# id, name, title, theme code and text, place, sentence, self-tool (Endpoint slug or empty)
_ACTIVITIES: tuple[tuple[str, str, str, tuple[str, str], str, str, str], ...] = (
    (
        "stevig-staan",
        "StevigStaan",
        "Stevig staan",
        ("valpreventie", "Valpreventie"),
        "buurthuis-de-koempel",
        "Twaalf weken oefenen om niet te vallen, in een groep.",
        "balans",
    ),
    (
        "samen-stoppen",
        "SamenStoppen",
        "Samen stoppen met roken",
        ("roken", "Stoppen met roken"),
        "mfa-leerzaal",
        "Zeven avonden in een groep.",
        "stoppen-met-roken",
    ),
    (
        "zelftool-stoppen-met-roken",
        "ZelftoolStoppenMetRoken",
        "Zelftool Stoppen met roken",
        ("roken", "Stoppen met roken"),
        "",
        "Elke dag vijf minuten, op telefoon of computer.",
        "stoppen-met-roken",
    ),
    (
        "samen-fit",
        "SamenFit",
        "Samen Fit",
        ("leefstijl", "Gezonde leefstijl"),
        "mfa-beweegzaal",
        "Twee jaar begeleiding bij eten, bewegen en slapen.",
        "",
    ),
    (
        "beter-slapen",
        "BeterSlapen",
        "Beter slapen zonder pillen",
        ("leefstijl", "Gezonde leefstijl"),
        "mfa-leerzaal",
        "Vijf avonden en een slaapdagboek.",
        "slapen",
    ),
    (
        "grip-op-geld",
        "GripOpGeld",
        "Grip op je geld",
        ("geldzaken", "Hulp bij geldzaken"),
        "mfa-spreekkamer-2",
        "Drie gesprekken en een budgetplan.",
        "geldzaken",
    ),
    (
        "gesprek-mantelzorger",
        "GesprekMantelzorger",
        "Gesprek met de mantelzorger",
        ("mantelzorg", "Steun voor mantelzorgers"),
        "mfa-spreekkamer-2",
        "Een uur over hoe het met u gaat, en wat lichter kan.",
        "",
    ),
    (
        "scholing-wijkgericht-werken",
        "ScholingWijkgerichtWerken",
        "Scholing Wijkgericht werken",
        ("scholing", "Scholing"),
        "leerhuis",
        "Twee dagdelen voor professionals en vrijwilligers samen.",
        "",
    ),
    (
        "gezondheidsweb-invullen",
        "GezondheidswebInvullen",
        "Mijn gezondheidsweb invullen",
        ("kwaliteit-van-leven", "Kwaliteit van leven"),
        "",
        "Zes cijfers en een wens.",
        "",
    ),
)

# id, name, title, theme, sentence, steps (ActivityDefinition ids, in order)
_PLANS: tuple[tuple[str, str, str, tuple[str, str], str, tuple[str, ...]], ...] = (
    (
        "rust-in-de-portemonnee",
        "RustInDePortemonnee",
        "Rust in de portemonnee",
        ("geldzaken", "Hulp bij geldzaken"),
        "Draaiboek: van praktijkondersteuner naar financieel spreekuur, en terug met het resultaat.",
        ("gezondheidsweb-invullen", "grip-op-geld", "beter-slapen"),
    ),
    (
        "rookvrij-hoensbroek",
        "RookvrijHoensbroek",
        "Rookvrij Hoensbroek",
        ("roken", "Stoppen met roken"),
        "Draaiboek: groep en zelftool samen, met een jaar opvolging.",
        ("samen-stoppen", "zelftool-stoppen-met-roken"),
    ),
    (
        "samen-fit-hoensbroek",
        "SamenFitHoensbroek",
        "Samen Fit in Hoensbroek",
        ("leefstijl", "Gezonde leefstijl"),
        "Draaiboek: leefstijlprogramma vanuit de ketenzorg diabetes.",
        ("gezondheidsweb-invullen", "samen-fit", "beter-slapen"),
    ),
    (
        "zorgen-voor-de-zorger",
        "ZorgenVoorDeZorger",
        "Zorgen voor de zorger",
        ("mantelzorg", "Steun voor mantelzorgers"),
        "Draaiboek: de huisarts vraagt, het steunpunt belt binnen een week, de buurt springt bij.",
        ("gesprek-mantelzorger", "gezondheidsweb-invullen"),
    ),
    (
        "langer-stevig",
        "LangerStevig",
        "Langer stevig thuis",
        ("valpreventie", "Valpreventie"),
        "Draaiboek: na een val bezoek, huis veilig maken, oefenen in een groep.",
        ("stevig-staan",),
    ),
    (
        "integrale-wijkaanpak",
        "IntegraleWijkaanpak",
        "Integrale wijkaanpak Hoensbroek",
        ("samenwerking", "Samenwerking in de wijk"),
        "Werkmodel: stuurgroep, twee werkgroepen, één plan voor zorg en welzijn.",
        ("scholing-wijkgericht-werken",),
    ),
)

# id, name, title, numerator in FHIRPath, denominator in FHIRPath, what counts as better
_MEASURES: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "bereik-valpreventie",
        "BereikValpreventie",
        "Aandeel bewoners met een val die aan valpreventie meedoen",
        "Task.where(instantiatesCanonical.endsWith('stevig-staan') and status != 'rejected' and status != 'cancelled')",
        "Condition.where(code.coding.where(code = '217082002').exists())",
        "increase",
    ),
    (
        "gesloten-verwijzingen",
        "GeslotenVerwijzingen",
        "Aandeel verwijzingen naar welzijn dat met een terugkoppeling eindigt",
        "Task.where(focus.exists() and status = 'completed' and output.exists())",
        "Task.where(focus.exists())",
        "increase",
    ),
    (
        "meedoen-onvoldoende",
        "MeedoenOnvoldoende",
        "Aandeel bewoners dat meedoen een 5 of lager geeft",
        "Observation.where(code.coding.where(code = 'meedoen').exists() and value.value <= 5)",
        "Observation.where(code.coding.where(code = 'meedoen').exists())",
        "decrease",
    ),
)


def resources() -> list[Json]:
    return [
        *codesystems.resources(),
        *questionnaires.resources(),
        *(_activity(*row) for row in _ACTIVITIES),
        *(_plan(*row) for row in _PLANS),
        *(_measure(*row) for row in _MEASURES),
    ]


def _published(resource_type: str, item_id: str, name: str, title: str, **rest: Any) -> Json:
    return resource(
        resource_type,
        item_id,
        url=f"{BASE}/{resource_type}/{item_id}",
        version="1.0.0",
        name=name,
        title=title,
        status="active",
        experimental=True,
        date="2026-01-01",
        publisher="wijkdossier (voorbeeld)",
        **rest,
    )


def _activity(
    item_id: str, name: str, title: str, theme: tuple[str, str], place: str, sentence: str, tool: str
) -> Json:
    item = _published(
        "ActivityDefinition",
        item_id,
        name,
        title,
        description=sentence,
        topic=[concept(THEME, *theme)],
        kind="Task",
        code=concept(THEME, *theme),
        intent="proposal",
        location=ref(f"Location/{place}") if place else None,
        participant=[{"type": "practitioner" if theme[0] == "scholing" else "patient"}],
    )
    if tool:
        item["extension"] = [
            {"url": f"{BASE}/StructureDefinition/zelftool-endpoint", "valueReference": ref(f"Endpoint/zelftool-{tool}")}
        ]
    return item


def _plan(item_id: str, name: str, title: str, theme: tuple[str, str], sentence: str, steps: tuple[str, ...]) -> Json:
    titles = {row[0]: row[2] for row in _ACTIVITIES}
    actions: list[Json] = []
    for number, step in enumerate(steps):
        action: Json = {"id": step, "title": titles[step]}
        if number:
            action["relatedAction"] = [{"actionId": steps[number - 1], "relationship": "after-start"}]
        action["definitionCanonical"] = f"{BASE}/ActivityDefinition/{step}"
        actions.append(action)
    return _published(
        "PlanDefinition",
        item_id,
        name,
        title,
        type_=concept(f"{THO}/plan-definition-type", "workflow-definition", "Draaiboek"),
        description=sentence,
        topic=[concept(THEME, *theme)],
        relatedArtifact=[
            {
                "type": "documentation",
                "display": "Uitleg bij dit draaiboek",
                "url": f"https://projectenbank.wijkdossier.example/{item_id}",
            }
        ],
        action=actions,
    )


def _measure(item_id: str, name: str, title: str, numerator: str, denominator: str, better: str) -> Json:
    populations = (
        ("initial-population", denominator),
        ("denominator", denominator),
        ("numerator", numerator),
    )
    return _published(
        "Measure",
        item_id,
        name,
        title,
        scoring=concept(f"{THO}/measure-scoring", "proportion", "Aandeel"),
        improvementNotation={"coding": [coding(f"{THO}/measure-improvement-notation", better)]},
        group=[
            {
                "population": [
                    {
                        "code": concept(f"{THO}/measure-population", code),
                        "criteria": {"language": "text/fhirpath", "expression": expression},
                    }
                    for code, expression in populations
                ]
            }
        ],
    )
