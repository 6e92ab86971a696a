"""Plans and the work they cause: CarePlan, Goal, Task, and a referral that comes back closed.

https://hl7.org/fhir/R4/careplan.html, https://hl7.org/fhir/R4/task.html
"""

from examples.author.dossier import Dossier
from examples.author.elements import BASE, SNOMED, THEME, THO, Json, annotation, concept, period, ref, refs

SUPPORT = ("243114000", "Ondersteuning")
NURSING = ("9632001", "Verpleegkundige zorg")


def goal(
    d: Dossier,
    slug: str,
    text: str,
    *,
    addresses: str = "",
    start: str,
    due: str = "",
    measure: Json | None = None,
    by: str = "",
    security: tuple[Json, ...] = (),
) -> str:
    """A Goal in the resident's words; nl-core lets it address one problem and carry one note."""
    target: Json = dict(measure or {})
    if due:
        target["dueDate"] = due
    return d.add(
        "Goal",
        slug,
        security=security,
        lifecycleStatus="active",
        achievementStatus=concept(f"{THO}/goal-achievement", "in-progress", "Mee bezig"),
        description={"text": text},
        subject=ref(d.me),
        startDate=start,
        target=[target] if target else None,
        expressedBy=ref(by or d.me),
        addresses=refs(addresses) if addresses else None,
    )


def task(
    d: Dossier,
    slug: str,
    text: str,
    *,
    owner: str,
    status: str,
    authored: str,
    modified: str = "",
    requester: str = "",
    based_on: str = "",
    focus: str = "",
    part_of: str = "",
    until: str = "",
    instantiates: str = "",
    reason: str = "",
    output: str = "",
    security: tuple[Json, ...] = (),
) -> str:
    """A Task for the resident; `reason` is why it was refused or ended, `output` what came back, both in words."""
    return d.add(
        "Task",
        slug,
        security=security,
        instantiatesCanonical=f"{BASE}/ActivityDefinition/{instantiates}" if instantiates else None,
        basedOn=refs(based_on) if based_on else None,
        partOf=refs(part_of) if part_of else None,
        status=status,
        statusReason={"text": reason} if reason else None,
        intent="order" if based_on.startswith("ServiceRequest") else "plan",
        priority="routine",
        code=concept("http://hl7.org/fhir/CodeSystem/task-code", "fulfill", "Uitvoeren")
        if focus
        else {"text": "Taak in de wijk"},
        description=text,
        focus=ref(focus) if focus else None,
        for_=ref(d.me),
        executionPeriod=period(authored[:10], until) if until else None,
        authoredOn=authored,
        lastModified=modified or authored,
        requester=ref(requester or d.gp),
        owner=ref(owner),
        output=[{"type": {"text": "Terugkoppeling"}, "valueString": output}] if output else None,
    )


def care_plan(
    d: Dossier,
    slug: str,
    title: str,
    *,
    category: tuple[str, str],
    since: str,
    author: str,
    team: str = "",
    addresses: tuple[str, ...] = (),
    goals: tuple[str, ...] = (),
    tasks: tuple[str, ...] = (),
    help_from_others: tuple[tuple[str, str, str], ...] = (),
    note: str = "",
    definition: str = "",
) -> str:
    """A CarePlan; `tasks` are references, `help_from_others` rows of (what, how often, RelatedPerson)."""
    activities: list[Json] = [{"reference": ref(item)} for item in tasks]
    activities += [
        {
            "detail": {
                "code": concept(SNOMED, "386229000", "Ondersteuning door anderen"),
                "status": "in-progress",
                "scheduledString": how_often,
                "performer": refs(person),
                "description": what,
            }
        }
        for what, how_often, person in help_from_others
    ]
    return d.add(
        "CarePlan",
        slug,
        text=title,
        instantiatesCanonical=[f"{BASE}/PlanDefinition/{definition}"] if definition else None,
        status="active",
        intent="plan",
        category=[concept(SNOMED, *category)],
        title=title,
        subject=ref(d.me),
        period=period(since),
        created=since,
        author=ref(author),
        careTeam=refs(team) if team else None,
        addresses=refs(*addresses),
        goal=refs(*goals),
        activity=activities,
        note=[annotation(note)] if note else None,
    )


def referral(
    d: Dossier,
    slug: str,
    text: str,
    *,
    theme: tuple[str, str],
    service: str,
    performer: str,
    authored: str,
    requester: str = "",
    status: str = "active",
    reason: str = "",
    note: str = "",
    security: tuple[Json, ...] = (),
) -> str:
    """A referral to an offer on the sociale kaart; what it carries is what the welfare party needs, no diagnosis."""
    return d.add(
        "ServiceRequest",
        slug,
        security=security,
        status=status,
        intent="order",
        category=[concept(SNOMED, "306206005", "Verwijzing")],
        priority="routine",
        code=concept(THEME, *theme),
        subject=ref(d.me),
        authoredOn=authored,
        requester=ref(requester or d.gp),
        performer=refs(f"HealthcareService/{service}", f"PractitionerRole/{performer}"),
        reasonReference=refs(reason) if reason else None,
        patientInstruction=text,
        note=[annotation(note)] if note else None,
    )
