"""What is the matter and what was done about it.

https://hl7.org/fhir/R4/clinicalsummary-module.html
"""

from examples.author.elements import ACT_CODE, SNOMED, THO, Json, coding, concept, period, ref, refs
from examples.author.record import Record, coded, status_code


class Care(Record):
    """The clinical part of a dossier."""

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
            clinicalStatus=status_code("condition-clinical", "resolved" if until else "active"),
            verificationStatus=status_code("condition-ver-status", "confirmed"),
            category=[concept(f"{THO}/condition-category", "problem-list-item", "Probleem")],
            code=coded(codes, text),
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
            clinicalStatus=status_code("allergyintolerance-clinical", "active"),
            verificationStatus=status_code("allergyintolerance-verification", "confirmed"),
            type_="allergy",
            category=[category],
            criticality=criticality,
            code=coded((code,), text),
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
            code=coded((code,), text),
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
            vaccineCode=coded((code,), text),
            patient=ref(self.me),
            occurrenceDateTime=on,
            primarySource=True,
            lotNumber=lot,
            performer=[{"actor": ref("Organization/ggd-parkdal")}],
            protocolApplied=[{"doseNumberPositiveInt": dose}],
        )
