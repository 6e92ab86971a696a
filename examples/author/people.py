"""The resident and the people around them.

https://hl7.org/fhir/R4/patient.html, https://hl7.org/fhir/R4/relatedperson.html
"""

from examples.author.elements import (
    ROLE_CODE_LIST,
    SNOMED,
    THO,
    address,
    bsn,
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
from examples.author.record import Record

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


class People(Record):
    """The part of a dossier that is about who somebody is and who stands beside them."""

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
