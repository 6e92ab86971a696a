"""One resident's dossier: each method adds a resource about them and returns its reference.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

import base64

from examples.author.care import Care
from examples.author.elements import THO, Json, concept, period, ref, refs
from examples.author.people import People
from examples.author.record import coded


class Dossier(People, Care):
    """People and care, and with them cover, paper, messages, appointments and the team."""

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
            type_=coded((code,), title),
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
