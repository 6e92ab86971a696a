"""The sociale kaart: what there is to find in the wijk, across care, prevention, welfare and participation.

https://hl7.org/fhir/R4/healthcareservice.html; types are HL7 service-type codes, as GF Adressering asks.
"""
# ruff: noqa: E501  (a row of a table is one line)

from examples.author.elements import DOMAIN, SNOMED, THEME, THO, Json, assigned_id, concept, email, phone, ref, resource
from examples.author.hours import available_time
from examples.author.organizations import assigner

DOMAINS = {"zorg": "Zorg", "preventie": "Preventie", "welzijn": "Welzijn", "participatie": "Participatie"}
TYPES = {
    "124": "Huisartsenzorg", "58": "Moeder- en kindzorg", "64": "Apotheek", "65": "Fysiotherapie", "88": "Tandheelkunde",
    "53": "Diëtetiek", "322": "Wijkverpleging", "358": "Verpleging thuis", "414": "GGZ in de eerste lijn",
    "136": "GGZ-casemanagement", "541": "Crisisdienst GGZ", "108": "Verslavingszorg zonder opname",
    "552": "Steungroep bij verslaving", "110": "Stoppen met roken", "146": "Beweegprogramma", "145": "Beweeggroep",
    "593": "Valpreventie", "469": "Gewicht en leefstijl", "532": "Diabeteseducatie", "57": "Vaccinatie", "67": "Seksuele gezondheid",
    "73": "Financieel spreekuur", "121": "Financiële hulp", "548": "Voedselhulp", "580": "Maatschappelijk werk",
    "155": "Mantelzorgondersteuning", "156": "Respijtzorg", "7": "Bezoek aan huis", "443": "Sociale steun",
    "390": "Buurthuis", "435": "Zelfhulp", "224": "Lotgenotengroep", "228": "Buurtbus", "550": "Dementie",
    "3": "Ouderenadvies", "56": "Wijkinformatie", "6": "Maaltijden", "9": "Klussen en reparatie", "577": "Taal en leren",
    "565": "Jongereninloop", "42": "Opvoedsteun", "128": "Wonen", "118": "Naar werk", "69": "Rouw", "553": "Maatje of coach",
    "158": "Bloedafname", "133": "Juridisch advies", "444": "Ontmoeten", "424": "Vrije tijd", "72": "Hulp bij geweld thuis",
    "595": "Ergotherapie", "68": "Logopedie", "8": "Hulp in huis", "179": "Palliatieve zorg", "61": "Ergotherapie",
    "473": "Wondzorg", "506": "Bloeddruk meten",
}  # fmt: skip

# id, name, domain, type, organization, location, hours, how to come in (vrij | afspraak | verwijzing), one sentence for the resident
TABLE: tuple[tuple[str, str, str, str, str, str, str, str, str], ...] = (
    ("spreekuur-de-esdoorn", "Huisartsenspreekuur De Esdoorn", "zorg", "124", "gp-de-esdoorn", "huisartsen-de-esdoorn", "ma-vr 08:00-17:00", "afspraak", "De huisarts voor al uw vragen over gezondheid."),
    ("spreekuur-mijnlamp", "Huisartsenspreekuur Mijnlamp", "zorg", "124", "gp-mijnlamp", "huisartsen-mijnlamp", "ma-vr 08:00-17:00", "afspraak", "De huisarts voor al uw vragen over gezondheid."),
    ("spreekuur-lindehof", "Huisartsenspreekuur Lindehof", "zorg", "124", "gp-lindehof", "huisartsen-lindehof", "ma-vr 08:00-17:30", "afspraak", "Huisarts met meer tijd voor oudere bewoners."),
    ("avondspreekuur-esdoorn", "Avondspreekuur De Esdoorn", "zorg", "124", "gp-de-esdoorn", "huisartsen-de-esdoorn", "di 17:00-20:00", "afspraak", "Voor wie overdag niet weg kan."),
    ("poh-ggz-esdoorn", "Praktijkondersteuner GGZ De Esdoorn", "zorg", "414", "gp-de-esdoorn", "huisartsen-de-esdoorn", "ma,wo,do 09:00-16:30", "verwijzing", "Gesprekken bij somberheid, angst, stress of slecht slapen."),
    ("poh-ggz-lindehof", "Praktijkondersteuner GGZ Lindehof", "zorg", "414", "gp-lindehof", "huisartsen-lindehof", "di,vr 09:00-16:30", "verwijzing", "Gesprekken bij somberheid, angst, stress of slecht slapen."),
    ("diabetesspreekuur-esdoorn", "Diabetesspreekuur De Esdoorn", "zorg", "532", "gp-de-esdoorn", "huisartsen-de-esdoorn", "di,do 08:30-12:00", "afspraak", "Controle en uitleg bij suikerziekte."),
    ("wijkverpleging-noord", "Wijkverpleging Noord", "zorg", "322", "wijkverpleging-noord", "wijkpost-noord", "ma-zo 07:00-23:00", "vrij", "Verpleging en verzorging thuis, in het noorden van de wijk."),
    ("wijkverpleging-zuid", "Wijkverpleging Zuid", "zorg", "322", "wijkverpleging-zuid", "wijkpost-zuid", "ma-zo 07:00-23:00", "vrij", "Verpleging en verzorging thuis, in het zuiden en oosten van de wijk."),
    ("nachtzorg-de-gaard", "Nachtzorg De Gaard", "zorg", "358", "thuiszorg-de-gaard", "wijkpost-noord", "ma-zo 23:00-23:59; ma-zo 00:00-07:00", "verwijzing", "Verpleegkundige zorg in de nacht."),
    ("wondspreekuur", "Wondspreekuur in de wijk", "zorg", "473", "thuiszorg-de-gaard", "mfa-spreekkamer-1", "wo 13:00-16:00", "verwijzing", "Verzorging en controle van wonden."),
    ("palliatieve-thuiszorg", "Palliatieve zorg thuis", "zorg", "179", "thuiszorg-de-gaard", "wijkpost-noord", "altijd", "verwijzing", "Zorg in de laatste levensfase, thuis."),
    ("apotheek-de-gaper", "Apotheek De Gaper", "zorg", "64", "apotheek-de-gaper", "apotheek-de-gaper", "ma-vr 08:30-18:00; za 09:00-13:00", "vrij", "Uw medicijnen, met uitleg in gewone taal."),
    ("medicatiespreekuur", "Medicatiespreekuur", "zorg", "64", "apotheek-de-gaper", "mfa-spreekkamer-1", "do 10:00-12:00", "afspraak", "Samen uw medicijnen doorlopen: wat is nog nodig?"),
    ("fysiotherapie", "Fysiotherapie Beweegwerk", "zorg", "65", "fysio-beweegwerk", "fysio-beweegwerk", "ma-vr 07:30-20:00", "afspraak", "Behandeling bij klachten met bewegen."),
    ("ergotherapie-thuis", "Ergotherapie aan huis", "zorg", "61", "fysio-beweegwerk", "fysio-beweegwerk", "ma-do 09:00-16:00", "afspraak", "Hulp om gewone dagelijkse dingen weer zelf te doen."),
    ("tandarts-de-kies", "Tandarts De Kies", "zorg", "88", "tandarts-de-kies", "tandarts-de-kies", "ma-vr 08:00-17:00", "afspraak", "Controle en behandeling van het gebit."),
    ("verloskundige-het-nest", "Verloskundigen Het Nest", "zorg", "58", "verloskundigen-het-nest", "geboortehuis-het-nest", "ma-vr 08:30-17:00", "afspraak", "Begeleiding bij zwangerschap, bevalling en kraamtijd."),
    ("dietist", "Diëtist Zout en Zoet", "zorg", "53", "dietist-zout-en-zoet", "dietist-zout-en-zoet", "ma-do 09:00-17:00", "afspraak", "Eetadvies dat past bij uw leven en portemonnee."),
    ("ggz-wijkteam", "GGZ-wijkteam De Brug", "zorg", "136", "ggz-de-brug-wijkteam", "ggz-de-brug", "ma-vr 08:30-17:00", "verwijzing", "Behandeling en begeleiding dicht bij huis."),
    ("ggz-crisis", "GGZ-crisisdienst", "zorg", "541", "ggz-de-brug", "ggz-de-brug", "altijd", "verwijzing", "Spoedhulp als het psychisch echt niet meer gaat; via de huisarts."),
    ("verslavingszorg", "Verslavingszorg De Wending", "zorg", "108", "verslavingszorg-de-wending", "inloop-de-wending", "ma-vr 09:00-17:00", "vrij", "Hulp bij minderen of stoppen met drank, drugs of gokken."),
    ("prikpunt", "Bloedafname Prikpunt Centrum", "zorg", "158", "lab-parkdal", "prikpunt-centrum", "ma-vr 07:30-11:30", "verwijzing", "Bloed laten prikken met een formulier van uw huisarts."),
    ("logopedie", "Logopedie in de wijk", "zorg", "68", "fysio-beweegwerk", "mfa-spreekkamer-2", "di,do 09:00-15:00", "verwijzing", "Hulp bij spreken, slikken en taal."),
    ("consultatiebureau", "Consultatiebureau", "preventie", "58", "ggd-parkdal", "consultatiebureau", "ma-vr 08:30-16:30", "afspraak", "Groei en ontwikkeling van kinderen tot vier jaar."),
    ("griepprik", "Griepprik en vaccinaties", "preventie", "57", "ggd-parkdal", "mfa-beweegzaal", "wo 14:00-19:00", "vrij", "Vaccinaties voor wie daarvoor een uitnodiging kreeg."),
    ("seksuele-gezondheid", "Spreekuur seksuele gezondheid", "preventie", "67", "ggd-parkdal", "mfa-spreekkamer-2", "ma 16:00-19:00", "afspraak", "Gratis en vertrouwelijk, ook anoniem."),
    ("stoppen-met-roken", "Samen stoppen met roken", "preventie", "110", "gp-lindehof", "mfa-leerzaal", "ma 19:00-20:30", "vrij", "Groep van zeven avonden, met een zelftool voor thuis."),
    ("gli-samen-fit", "Leefstijlprogramma Samen Fit (GLI)", "preventie", "469", "fysio-beweegwerk", "mfa-beweegzaal", "di,do 18:30-20:00", "verwijzing", "Twee jaar begeleiding bij eten, bewegen en slapen."),
    ("valpreventie", "Stevig staan: valpreventie", "preventie", "593", "fysio-beweegwerk", "buurthuis-de-koempel", "ma,wo 10:00-11:30", "vrij", "Oefenen om niet te vallen, voor 65-plussers."),
    ("bloeddruk-meten", "Bloeddruk meten aan de balie", "preventie", "506", "thuiszorg-de-gaard", "mfa-balie", "vr 10:00-12:00", "vrij", "Loop binnen, ga zitten, en weet uw bloeddruk."),
    ("slaapcursus", "Beter slapen zonder pillen", "preventie", "435", "ggz-de-brug-wijkteam", "mfa-leerzaal", "do 19:30-21:00", "afspraak", "Vijf avonden over slapen, met een zelftool."),
    ("gezond-koken", "Gezond koken voor weinig", "preventie", "53", "dietist-zout-en-zoet", "mfa-keuken", "wo 16:00-19:00", "vrij", "Samen koken en eten voor drie euro."),
    ("beweeggroep-ochtend", "Ochtendgroep Fit op de stoel", "preventie", "145", "sportvereniging-de-koempel", "mfa-beweegzaal", "ma,vr 09:30-10:30", "vrij", "Rustig bewegen op muziek, zittend of staand."),
    ("wandelgroep", "Wandelgroep De Bron", "preventie", "146", "sportvereniging-de-koempel", "beweegpark", "ma,do 10:00-11:00; za 09:30-11:00", "vrij", "Een uur wandelen, met koffie na."),
    ("walking-football", "Wandelvoetbal 60-plus", "preventie", "145", "sportvereniging-de-koempel", "sporthal", "wo 10:30-12:00", "vrij", "Voetbal zonder rennen."),
    ("zwangerfit", "Zwanger en fit", "preventie", "146", "verloskundigen-het-nest", "mfa-beweegzaal", "wo 19:00-20:00", "afspraak", "Bewegen en ademen, vanaf week zestien."),
    ("wijkinformatiepunt", "Wijkinformatiepunt De Stip", "welzijn", "56", "welzijn-wijkwerk", "mfa-balie", "ma-vr 09:00-17:00; za 10:00-13:00", "vrij", "Eén balie voor alle vragen over zorg, geld, wonen en meedoen."),
    ("inloop-huiskamer", "Inloop De Huiskamer", "welzijn", "390", "welzijn-wijkwerk", "mfa-huiskamer", "ma-vr 09:00-21:00; za,zo 12:00-17:00", "vrij", "Kom binnen, koffie staat klaar."),
    ("inloop-koempel", "Inloop Buurthuis De Koempel", "welzijn", "390", "welzijn-wijkwerk", "buurthuis-de-koempel", "ma-vr 10:00-16:00", "vrij", "Ontmoeten, kaarten, biljarten."),
    ("inloop-oase", "Inloop d'r Oase", "welzijn", "390", "welzijn-wijkwerk", "buurthuis-d-r-oase", "ma-vr 09:30-16:00", "vrij", "Open huis voor de oostkant van de wijk."),
    ("financieel-spreekuur", "Financieel spreekuur", "welzijn", "73", "gemeente-schuldhulp", "mfa-spreekkamer-2", "ma,wo 09:00-12:00; do 17:00-19:30", "vrij", "Neem uw post mee, ook de ongeopende."),
    ("schuldhulp", "Schuldhulpverlening", "welzijn", "121", "gemeente-schuldhulp", "wijkwinkel", "ma-vr 09:00-17:00", "afspraak", "Een plan om uw schulden op te lossen."),
    ("formulierenhulp", "Formulierenbrigade", "welzijn", "121", "welzijn-wijkwerk", "mfa-balie", "di,vr 09:30-12:00", "vrij", "Hulp bij toeslagen, brieven en DigiD."),
    ("voedselbank", "Voedselbank Hoensbroek", "welzijn", "548", "voedselbank-hoensbroek", "voedselbank", "vr 10:00-15:00", "verwijzing", "Elke week een pakket als het geld op is."),
    ("maatschappelijk-werk", "Maatschappelijk werk", "welzijn", "580", "welzijn-wijkwerk", "mfa-spreekkamer-1", "ma,di,do 09:00-17:00", "afspraak", "Hulp bij problemen thuis, met geld, werk of relaties."),
    ("mantelzorgsteunpunt", "Mantelzorgsteunpunt", "welzijn", "155", "mantelzorgsteunpunt", "mfa-spreekkamer-2", "di,vr 09:00-16:00", "vrij", "Zorgt u voor een ander? Hier zorgen we voor u."),
    ("respijtzorg", "Respijtzorg: even vrij", "welzijn", "156", "mantelzorgsteunpunt", "ouderenhuis-de-linde", "ma-vr 09:00-17:00", "afspraak", "Iemand neemt de zorg over, een dagdeel of een weekend."),
    ("mantelzorgcafe", "Mantelzorgcafé", "welzijn", "224", "mantelzorgsteunpunt", "mfa-huiskamer", "wo 19:30-21:30", "vrij", "Andere mantelzorgers ontmoeten."),
    ("ouderenadviseur", "Ouderenadviseur", "welzijn", "3", "welzijn-wijkwerk", "mfa-spreekkamer-1", "wo,vr 09:00-12:30", "afspraak", "Bezoek en advies over ouder worden in uw eigen huis."),
    ("dementie-ontmoeting", "Ontmoetingsgroep geheugen", "welzijn", "550", "welzijn-wijkwerk", "ouderenhuis-de-linde", "ma,wo,vr 10:00-15:00", "verwijzing", "Voor mensen met dementie en hun naasten, samen."),
    ("eetpunt-de-linde", "Eetpunt De Linde", "welzijn", "6", "woningcorporatie-de-schacht", "ouderenhuis-de-linde", "ma-zo 11:30-13:30", "afspraak", "Warm eten aan een lange tafel."),
    ("rouwgroep", "Rouwgroep Verder zonder", "welzijn", "69", "welzijn-wijkwerk", "kapel", "di 14:00-16:00", "afspraak", "Na het verlies van iemand die u liefhad."),
    ("jeugdpunt", "Jeugdpunt Hoensbroek", "welzijn", "42", "gemeente-sociaal-wijkteam", "wijkwinkel", "ma-vr 09:00-17:00", "vrij", "Vragen over opvoeden en opgroeien."),
    ("jongereninloop", "Jongereninloop De Lift", "welzijn", "565", "jeugdwerk-wijkwerk", "jongerenhonk", "ma-vr 15:00-21:00", "vrij", "Chillen, muziek, en iemand die luistert."),
    ("veilig-thuis-spreekuur", "Spreekuur Veilig thuis", "welzijn", "72", "gemeente-sociaal-wijkteam", "mfa-spreekkamer-2", "di 13:00-16:00", "vrij", "Praten over ruzie of geweld thuis, in vertrouwen."),
    ("wonen-spreekuur", "Woonspreekuur De Schacht", "welzijn", "128", "woningcorporatie-de-schacht", "wijkkantoor-de-schacht", "ma-do 09:00-12:00", "vrij", "Huur, overlast, aanpassingen in huis."),
    ("rechtswinkel", "Rechtswinkel", "welzijn", "133", "welzijn-wijkwerk", "bibliotheek", "do 18:00-20:00", "vrij", "Gratis juridisch advies."),
    ("hulp-in-huis", "Hulp in de huishouding (Wmo)", "welzijn", "8", "thuiszorg-de-gaard", "wijkpost-zuid", "ma-vr 08:00-17:00", "verwijzing", "Hulp bij het schoonhouden van uw huis."),
    ("burennetwerk", "Burennetwerk Hoensbroek", "participatie", "443", "burennetwerk-hoensbroek", "mfa-balie", "ma-vr 10:00-12:00", "vrij", "Buren doen iets voor elkaar: een boodschap, een lamp, een praatje."),
    ("bezoekmaatjes", "Bezoekmaatjes", "participatie", "7", "zorgcooperatie-hoensbroek", "kapel", "ma-vr 10:00-16:00", "afspraak", "Elke week een vast gezicht op bezoek."),
    ("ervaringsmaatje", "Maatje met ervaring", "participatie", "553", "zelfhulpnetwerk-hoensbroek", "mfa-huiskamer", "di,do 13:00-17:00", "vrij", "Iemand die het zelf heeft meegemaakt loopt met u mee."),
    ("buurtbus", "Buurtbus Hoensbroek", "participatie", "228", "gemeente-heerlen", "bus-halte-centrum", "ma-za 08:00-18:00", "vrij", "Bel een uur van tevoren, de bus haalt u op."),
    ("repaircafe", "Repaircafé De Werkplaats", "participatie", "9", "zorgcooperatie-hoensbroek", "mfa-werkplaats", "za 10:00-14:00", "vrij", "Samen maken wat stuk is."),
    ("klussendienst", "Klussendienst voor ouderen", "participatie", "9", "burennetwerk-hoensbroek", "mfa-werkplaats", "di,do 09:00-12:00", "afspraak", "Kleine klussen in huis, tegen materiaalkosten."),
    ("taalcafe", "Taalcafé", "participatie", "577", "bibliotheek-hoensbroek", "bibliotheek", "wo 13:30-15:30; za 10:30-12:00", "vrij", "Nederlands oefenen aan tafel, met koffie."),
    ("digihulp", "Digihulp: wegwijs op uw telefoon", "participatie", "577", "bibliotheek-hoensbroek", "bibliotheek", "ma,do 14:00-16:00", "vrij", "Ook voor het inloggen op uw eigen dossier."),
    ("leerwerkplek", "Leerwerkplek De Werkplaats", "participatie", "118", "leerhuis-wijkzorg", "mfa-werkplaats", "ma-do 09:00-15:00", "verwijzing", "Werkervaring opdoen in uw eigen tempo."),
    ("wijktuin", "Wijktuin De Berm", "participatie", "424", "zorgcooperatie-hoensbroek", "wijktuin", "ma-za 09:00-17:00", "vrij", "Samen tuinieren; de oogst gaat naar het eetpunt."),
    ("eettafel-wijkkeuken", "Eettafel De Wijkkeuken", "participatie", "6", "zorgcooperatie-hoensbroek", "mfa-keuken", "di,do 17:30-19:30", "afspraak", "Buren koken voor buren, vijf euro."),
    ("zelfhulp-angst", "Zelfhulpgroep angst en paniek", "participatie", "435", "zelfhulpnetwerk-hoensbroek", "mfa-huiskamer", "ma 20:00-21:30", "vrij", "Ervaringen delen, zonder behandelaar erbij."),
    ("zelfhulp-drank", "Zelfhulpgroep Zonder drank", "participatie", "552", "zelfhulpnetwerk-hoensbroek", "inloop-de-wending", "do 20:00-21:30; zo 11:00-12:30", "vrij", "Steun van mensen die ook stopten."),
    ("lotgenoten-diabetes", "Suikercafé: lotgenoten met diabetes", "participatie", "224", "zelfhulpnetwerk-hoensbroek", "mfa-huiskamer", "di 14:00-15:30", "vrij", "Praten over leven met diabetes."),
    ("lotgenoten-longen", "Longpunt: leven met COPD", "participatie", "224", "zelfhulpnetwerk-hoensbroek", "buurthuis-d-r-oase", "do 14:00-15:30", "vrij", "Tips, adem en gezelschap."),
    ("buurtkoor", "Buurtkoor De Stip", "participatie", "444", "wijkraad-hoensbroek", "mfa-huiskamer", "wo 20:00-21:30", "vrij", "Zingen voor wie van zingen houdt."),
)  # fmt: skip

_REFERRAL = {"verwijzing": ("phone", "mail"), "afspraak": ("phone",), "vrij": ()}
_LANGUAGES = ("nl",)
_SPECIALTY = {"124": ("394814009", "Huisartsgeneeskunde"), "322": ("722165004", "Verpleegkunde")}
# id, what it replaces it with: an entry that has stopped stays findable by its old identifier, and says so
_ENDED = (
    "koffieochtend-oud", "Koffieochtend Oude Kapel", "welzijn", "390", "zorgcooperatie-hoensbroek", "kapel", "ma 10:00-12:00", "vrij",
    "Gestopt per 1 juli 2025; u bent welkom in De Huiskamer.",
)  # fmt: skip


def resources() -> list[Json]:
    services = [_service(number, *row) for number, row in enumerate((*TABLE, _ENDED), start=1)]
    services[-1]["active"] = False
    return services


def _service(
    number: int,
    service_id: str,
    name: str,
    domain: str,
    kind: str,
    organization: str,
    location: str,
    hours: str,
    access: str,
    sentence: str,
) -> Json:
    specialty = _SPECIALTY.get(kind)
    return resource(
        "HealthcareService",
        service_id,
        text=f"{name}. {sentence}",
        identifier=[assigned_id(f"aanbod-{number:03d}", *assigner(organization))],
        active=True,
        providedBy=ref(f"Organization/{organization}"),
        category=[concept(DOMAIN, domain, DOMAINS[domain])],
        type_=[concept(f"{THO}/service-type", kind, TYPES[kind])],
        specialty=[concept(SNOMED, *specialty)] if specialty else None,
        location=[ref(f"Location/{location}")],
        name=name,
        comment=sentence,
        telecom=[phone(30000 + number), email(service_id, organization)],
        coverageArea=[ref("Location/wijk-hoensbroek")],
        serviceProvisionCode=_provision(domain),
        communication=[concept("urn:ietf:bcp:47", language) for language in _LANGUAGES],
        characteristic=[concept(THEME, "rolstoeltoegankelijk", "Rolstoeltoegankelijk")]
        if location.startswith("mfa")
        else None,
        referralMethod=[concept(f"{THO}/service-referral-method", method) for method in _REFERRAL[access]],
        appointmentRequired=access != "vrij",
        availableTime=available_time(hours),
        notAvailable=[
            {"description": "Gesloten op Nieuwjaarsdag", "during": {"start": "2027-01-01", "end": "2027-01-01"}}
        ],
        availabilityExceptions="Op feestdagen kan het anders zijn; bel even.",
    )


def _provision(domain: str) -> list[Json]:
    if domain == "zorg":
        return [concept(f"{THO}/service-provision-conditions", "cost", "Via uw zorgverzekering of eigen rekening")]
    return [concept(f"{THO}/service-provision-conditions", "free", "Gratis of tegen een kleine bijdrage")]
