"""Our own code systems, complete and small, so that every code in the examples can be looked up.

https://hl7.org/fhir/R4/codesystem.html
"""

from examples.author.elements import BASE, Json, resource

# id, name, title, concepts
TABLE: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    ("marking", "Marking", "Markeringen", (("synthetic", "Synthetisch"),)),
    (
        "domein",
        "Domein",
        "Domeinen van de sociale kaart",
        (("zorg", "Zorg"), ("preventie", "Preventie"), ("welzijn", "Welzijn"), ("participatie", "Participatie")),
    ),
    (
        "wijkthema",
        "Wijkthema",
        "Thema's in de wijk",
        (
            ("lichaamsfuncties", "Lichaamsfuncties"),
            ("mentaal-welbevinden", "Mentaal welbevinden"),
            ("zingeving", "Zingeving"),
            ("kwaliteit-van-leven", "Kwaliteit van leven"),
            ("meedoen", "Meedoen"),
            ("dagelijks-functioneren", "Dagelijks functioneren"),
            ("geldzaken", "Hulp bij geldzaken"),
            ("voedsel", "Voedselhulp"),
            ("valpreventie", "Valpreventie"),
            ("roken", "Stoppen met roken"),
            ("leefstijl", "Gezonde leefstijl"),
            ("mantelzorg", "Steun voor mantelzorgers"),
            ("ontmoeten", "Ontmoeten"),
            ("wonen", "Veilig wonen"),
            ("werk", "Naar werk"),
            ("zelfhulp", "Zelfhulp"),
            ("scholing", "Scholing"),
            ("samenwerking", "Samenwerking in de wijk"),
            ("postcode", "Postcode (vier cijfers)"),
            ("werktijd", "Werktijd voor de wijk"),
            ("rolstoeltoegankelijk", "Rolstoeltoegankelijk"),
        ),
    ),
    (
        "wijkrol",
        "Wijkrol",
        "Rollen in de wijk",
        (
            ("poh-ggz", "Praktijkondersteuner GGZ"),
            ("poh-somatiek", "Praktijkondersteuner somatiek"),
            ("schuldhulpverlener", "Schuldhulpverlener"),
            ("ouderenadviseur", "Ouderenadviseur"),
            ("wijkinformateur", "Medewerker wijkinformatiepunt"),
            ("mantelzorgconsulent", "Mantelzorgconsulent"),
            ("jeugdwerker", "Jongerenwerker"),
            ("vrijwilliger", "Vrijwilliger burennetwerk"),
            ("dietist", "Diëtist"),
            ("verslavingsarts", "Verslavingsarts"),
            ("onderzoeker", "Onderzoeker"),
            ("opdrachtgever", "Opdrachtgever"),
            ("basiszorg", "Partner basiszorg"),
            ("procesverantwoordelijke", "Procesverantwoordelijke"),
            ("welzijn", "Partner welzijn"),
            ("wonen", "Partner wonen"),
            ("bewoners", "Bewonersvertegenwoordiging"),
            ("financier", "Financier"),
            ("scholing", "Partner scholing"),
        ),
    ),
    ("zelftool", "Zelftool", "Soorten zelftools", (("hti", "Zelfhulpmodule"),)),
    (
        "wijkcontract",
        "Wijkcontract",
        "Onderdelen van een wijkcontract",
        (
            ("wijkcontract", "Wijkcontract Gezondheid"),
            ("afbakening", "Afbakening van de wijk"),
            ("zeggenschap", "Zeggenschap van bewoners"),
            ("regie", "Procesverantwoordelijkheid"),
            ("werktijd", "Vijftien procent werktijd"),
            ("bekostiging", "Wijkbekostiging"),
            ("inzetten", "Werktijd inzetten"),
            ("ontwikkelen", "Ontwikkeling, implementatie en innovatie"),
            ("loopt", "Loopt"),
        ),
    ),
)


def resources() -> list[Json]:
    return [
        resource(
            "CodeSystem",
            system_id,
            url=f"{BASE}/CodeSystem/{system_id}",
            version="1.0.0",
            name=name,
            title=title,
            status="active",
            experimental=True,
            date="2026-01-01",
            publisher="wijkdossier (voorbeeld)",
            caseSensitive=True,
            content="complete",
            count=len(concepts),
            concept=[{"code": code, "display": display} for code, display in concepts],
        )
        for system_id, name, title, concepts in TABLE
    ]
