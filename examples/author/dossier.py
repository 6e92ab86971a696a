"""One resident's dossier: each method adds a resource about them and returns its reference.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

import base64
from typing import Any

from examples.author.elements import (
    ACT_CODE,
    ROLE_CODE_LIST,
    SNOMED,
    THO,
    Json,
    address,
    bsn,
    coding,
    concept,
    email,
    human_name,
    identifier,
    period,
    phone,
    ref,
    refs,
    resource,
)

RESTRICTED = coding(f"{THO}/v3-Confidentiality", "R", "restricted")
VERY_RESTRICTED = coding(f"{THO}/v3-Confidentiality", "V", "very restricted")
PSY = coding(ACT_CODE, "PSY", "psychiatry disorder information sensitivity")
HIV = coding(ACT_CODE, "HIV", "HIV/AIDS information sensitivity")
SEX = coding(ACT_CODE, "SEX", "sexuality and reproductive health information sensitivity")
SUD = coding(ACT_CODE, "SUD", "substance use disorder information sensitivity")
VIOLENCE = coding(ACT_CODE, "SDV", "sexual assault, abuse, or domestic violence information sensitivity")

# relationship codes of RelatedPerson: what they are to the resident
RELATIONS: dict[str, tuple[tuple[str, str], str]] = {
    "buur": ((ROLE_CODE_LIST, "19"), "Buur"),
    "mantelzorger": ((SNOMED, "407542009"), "Mantelzorger"),
    "partner": ((f"{THO}/v3-RoleCode", "DOMPART"), "Partner"),
    "dochter": ((f"{THO}/v3-RoleCode", "DAUC"), "Dochter"),
    "zoon": ((f"{THO}/v3-RoleCode", "SONC"), "Zoon"),
    "moeder": ((f"{THO}/v3-RoleCode", "MTH"), "Moeder"),
    "vader": ((f"{THO}/v3-RoleCode", "FTH"), "Vader"),
    "broer": ((f"{THO}/v3-RoleCode", "BRO"), "Broer"),
    "vriend": ((f"{THO}/v3-RoleCode", "FRND"), "Vriend of vriendin"),
    "voogd": ((f"{THO}/v3-RoleCode", "GUARD"), "Ouder met gezag of voogd"),
    "curator": ((f"{THO}/v3-RoleCode", "GUARD"), "Curator"),
    "gevolmachtigde": ((f"{THO}/v3-RoleCode", "HPOWATT"), "Gevolmachtigde voor zorgbeslissingen"),
    "eerste-contact": ((ROLE_CODE_LIST, "01"), "Eerste contactpersoon"),
}


class Dossier:
    """Collects the resources of one resident; ids begin with the resident's own (`bewoner-03-diabetes`)."""

    def __init__(self, number: int, gp: str) -> None:
        self.number = number
        self.id = f"bewoner-{number:02d}"
        self.me = f"Patient/{self.id}"
        self.gp = f"PractitionerRole/{gp}"
        self.resources: list[Json] = []

    def add(self, resource_type: str, slug: str, **elements: Any) -> str:
        """Adds `Type/bewoner-NN-slug` and returns that reference."""
        item = resource(resource_type, f"{self.id}-{slug}", **elements)
        self.resources.append(item)
        return f"{resource_type}/{item['id']}"

    # -- people -----------------------------------------------------------------------------------------------------

    def patient(
        self,
        given: str,
        family: str,
        *,
        gender: str,
        born: str,
        street: str,
        number: str,
        postcode: str,
        practice: str,
        prefix: str = "",
        call: str = "",
        language: str = "nl",
        marital: str = "",
        links: tuple[str, ...] = (),
        summary: str,
    ) -> None:
        """The Patient; `practice` is the GP's Organization, `links` name RelatedPersons who are the same human."""
        self.resources.append(
            resource(
                "Patient",
                self.id,
                text=f"{given} {prefix} {family}".replace("  ", " ") + f". {summary}",
                identifier=[identifier("bsn", bsn(self.number))],
                active=True,
                name=human_name(given, family, prefix=prefix, call=call),
                telecom=[phone(100 + self.number, "mobile"), email(self.id, "bewoners", "home")],
                gender=gender,
                birthDate=born,
                address=[address(street, number, postcode)],
                maritalStatus=concept(f"{THO}/v3-MaritalStatus", marital) if marital else None,
                multipleBirthBoolean=False,
                communication=[{"language": concept("urn:ietf:bcp:47", language), "preferred": True}],
                generalPractitioner=[ref(self.gp), ref(f"Organization/{practice}")],
                managingOrganization=ref(f"Organization/{practice}"),
                link=[{"other": ref(link), "type": "seealso"} for link in links],
            )
        )

    def related(
        self,
        slug: str,
        given: str,
        family: str,
        *relations: str,
        gender: str,
        prefix: str = "",
        since: str = "",
        until: str = "",
        active: bool = True,
        line: int,
    ) -> str:
        """A RelatedPerson in one or more of the RELATIONS; contact details are on the `mobile` line given."""
        return self.add(
            "RelatedPerson",
            slug,
            active=active,
            patient=ref(self.me),
            relationship=[concept(*RELATIONS[relation][0], RELATIONS[relation][1]) for relation in relations],
            name=human_name(given, family, prefix=prefix, initials=len(given) == 1 or " " in given)[:1],
            telecom=[phone(line, "mobile")],
            gender=gender,
            period=period(since, until),
        )

    def proxy_verified(self, slug: str, person: str, statement: str, date: str) -> str:
        """The operator's VerificationResult that a RelatedPerson really may act for the resident."""
        return self.add(
            "VerificationResult",
            slug,
            text=statement,
            target=refs(person),
            status="validated",
            statusDate=date,
            validationType=concept(f"{THO}/validation-type", "primary", "Vergeleken met het register zelf"),
            lastPerformed=date,
            attestation={"who": ref("Organization/ict-aanspreekpunt"), "date": date[:10]},
        )

    # -- care: what is the matter, what was measured, what is taken ---------------------------------------------------

    def condition(
        self,
        slug: str,
        text: str,
        *codes: tuple[str, str],
        since: str,
        until: str = "",
        by: str = "",
        encounter: str = "",
        security: tuple[Json, ...] = (),
        note: str = "",
    ) -> str:
        """A problem; active unless it has ended (`until`)."""
        return self.add(
            "Condition",
            slug,
            security=security,
            clinicalStatus=_status("condition-clinical", "resolved" if until else "active"),
            verificationStatus=_status("condition-ver-status", "confirmed"),
            category=[concept(f"{THO}/condition-category", "problem-list-item", "Probleem")],
            code=_concept(codes, text),
            subject=ref(self.me),
            encounter=ref(encounter) if encounter else None,
            onsetDateTime=since,
            abatementDateTime=until,
            recordedDate=since if len(since) == 10 else f"{since}-01" if len(since) == 7 else f"{since}-01-01",
            asserter=ref(by or self.gp),
            note=[{"text": note}] if note else None,
        )

    def allergy(
        self,
        slug: str,
        text: str,
        code: tuple[str, str],
        *,
        category: str,
        criticality: str,
        reaction: tuple[str, str, str],
    ) -> str:
        """An allergy or intolerance; `reaction` is (SNOMED code, Dutch text, severity)."""
        return self.add(
            "AllergyIntolerance",
            slug,
            clinicalStatus=_status("allergyintolerance-clinical", "active"),
            verificationStatus=_status("allergyintolerance-verification", "confirmed"),
            type_="allergy",
            category=[category],
            criticality=criticality,
            code=_concept((code,), text),
            patient=ref(self.me),
            recordedDate="2019-05-06",
            asserter=ref(self.gp),
            reaction=[{"manifestation": [concept(SNOMED, reaction[0], reaction[1])], "severity": reaction[2]}],
        )

    def episode(
        self,
        slug: str,
        condition: str,
        *,
        since: str,
        organization: str,
        manager: str,
        security: tuple[Json, ...] = (),
    ) -> str:
        """A running responsibility of one organization for one problem."""
        return self.add(
            "EpisodeOfCare",
            slug,
            security=security,
            status="active",
            diagnosis=[{"condition": ref(condition), "rank": 1}],
            patient=ref(self.me),
            managingOrganization=ref(f"Organization/{organization}"),
            period=period(since),
            careManager=ref(f"PractitionerRole/{manager}"),
        )

    def encounter(
        self,
        slug: str,
        text: str,
        *,
        at: str,
        until: str,
        who: str,
        organization: str,
        location: str = "",
        kind: str = "AMB",
        reason: str = "",
        episode: str = "",
        status: str = "finished",
        security: tuple[Json, ...] = (),
    ) -> str:
        """A contact; `kind` is a v3 ActCode class: AMB in the practice, HH at home, VR by phone, IMP in hospital."""
        return self.add(
            "Encounter",
            slug,
            security=security,
            status=status,
            class_=coding(ACT_CODE, kind),
            type_=[{"text": text}],
            subject=ref(self.me),
            episodeOfCare=refs(episode) if episode else None,
            participant=[{"individual": ref(f"PractitionerRole/{who}")}],
            period=period(at, until if status == "finished" else ""),
            reasonReference=refs(reason) if reason else None,
            location=[{"location": ref(f"Location/{location}")}] if location else None,
            serviceProvider=ref(f"Organization/{organization}"),
        )

    def procedure(
        self,
        slug: str,
        text: str,
        code: tuple[str, str],
        *,
        on: str,
        who: str,
        reason: str = "",
        security: tuple[Json, ...] = (),
    ) -> str:
        return self.add(
            "Procedure",
            slug,
            security=security,
            status="completed",
            code=_concept((code,), text),
            subject=ref(self.me),
            performedDateTime=on,
            performer=[{"actor": ref(f"PractitionerRole/{who}")}],
            reasonReference=refs(reason) if reason else None,
        )

    def immunization(self, slug: str, text: str, code: tuple[str, str], *, on: str, dose: int, lot: str) -> str:
        return self.add(
            "Immunization",
            slug,
            status="completed",
            vaccineCode=_concept((code,), text),
            patient=ref(self.me),
            occurrenceDateTime=on,
            primarySource=True,
            lotNumber=lot,
            performer=[{"actor": ref("Organization/ggd-parkdal")}],
            protocolApplied=[{"doseNumberPositiveInt": dose}],
        )

    # -- welfare, money, paper ----------------------------------------------------------------------------------------

    def flag(
        self, slug: str, text: str, *, category: str, since: str, author: str = "", security: tuple[Json, ...] = ()
    ) -> str:
        return self.add(
            "Flag",
            slug,
            security=security,
            status="active",
            category=[concept(f"{THO}/flag-category", category)],
            code={"text": text},
            subject=ref(self.me),
            period=period(since),
            author=ref(author or self.gp),
        )

    def coverage(self, *, since: str = "2026-01-01", until: str = "2026-12-31") -> str:
        return self.add(
            "Coverage",
            "basisverzekering",
            status="active",
            type_=concept("urn:oid:2.16.840.1.113883.2.4.3.11.60.101.5.1", "B", "Basisverzekering"),
            subscriberId=f"9900{self.number:04d}",
            beneficiary=ref(self.me),
            period=period(since, until),
            payor=refs("Organization/zorgverzekeraar-de-steun"),
        )

    def document(
        self,
        slug: str,
        title: str,
        body: str,
        *,
        on: str,
        author: str,
        code: tuple[str, str],
        security: tuple[Json, ...] = (),
    ) -> str:
        """A DocumentReference with its text in a Binary that is guarded as the resident's."""
        binary = self.add(
            "Binary",
            f"{slug}-tekst",
            security=security,
            contentType="text/plain; charset=utf-8",
            securityContext=ref(self.me),
            data=base64.b64encode(body.encode()).decode(),
        )
        return self.add(
            "DocumentReference",
            slug,
            security=security,
            status="current",
            docStatus="final",
            type_=_concept((code,), title),
            category=[concept("http://loinc.org", "11488-4", "Verslag")],
            subject=ref(self.me),
            date=on,
            author=refs(author),
            description=title,
            content=[
                {
                    "attachment": {
                        "contentType": "text/plain; charset=utf-8",
                        "language": "nl",
                        "url": binary,
                        "title": title,
                        "creation": on,
                    }
                }
            ],
        )

    def communication(
        self, slug: str, text: str, *, sent: str, sender: str, to: str, about: str = "", security: tuple[Json, ...] = ()
    ) -> str:
        return self.add(
            "Communication",
            slug,
            security=security,
            status="completed",
            category=[concept(f"{THO}/communication-category", "notification", "Bericht")],
            subject=ref(self.me),
            about=refs(about) if about else None,
            sent=sent,
            recipient=refs(to),
            sender=ref(sender),
            payload=[{"contentString": text}],
        )

    def appointment(
        self,
        slug: str,
        text: str,
        *,
        start: str,
        end: str,
        who: str,
        location: str,
        status: str = "booked",
        service: str = "",
    ) -> str:
        return self.add(
            "Appointment",
            slug,
            status=status,
            serviceType=[concept(f"{THO}/service-type", service)] if service else None,
            description=text,
            start=start,
            end=end,
            participant=[
                {"actor": ref(self.me), "required": "required", "status": "accepted"},
                {"actor": ref(f"PractitionerRole/{who}"), "required": "required", "status": "accepted"},
                {"actor": ref(f"Location/{location}"), "status": "accepted"},
            ],
        )

    def team(
        self, name: str, members: list[tuple[str, str, str]], *, since: str, slug: str = "team", condition: str = ""
    ) -> str:
        """A CareTeam; members are (reference, what they do, until when or an empty string)."""
        return self.add(
            "CareTeam",
            slug,
            status="active",
            category=[concept("http://loinc.org", "LA28865-6", "Team rond één persoon")],
            name=name,
            subject=ref(self.me),
            period=period(since),
            participant=[
                {"role": [{"text": role}], "member": ref(member), "period": period(since, until)}
                for member, role, until in members
            ],
            reasonReference=refs(condition) if condition else None,
            managingOrganization=refs("Organization/wijknetwerk-hoensbroek"),
        )


def _status(system: str, code: str) -> Json:
    return {"coding": [coding(f"{THO}/{system}", code)]}


def _concept(codes: tuple[tuple[str, str], ...], text: str) -> Json:
    first, *rest = codes
    return concept(first[0], first[1], text, *(coding(system, code) for system, code in rest))
