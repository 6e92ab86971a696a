"""What the pages say on which an app is let in."""

from typing import Final

from fhir_server.portal.words import Table

WORDS: Final[Table] = {
    # What is wrong with the request, where nobody can be sent back.
    "authorize_client": (
        "Deze app is hier niet bekend. U kunt deze pagina sluiten.",
        "This app is not known here. You can close this page.",
    ),
    "authorize_redirect_uri": (
        "Deze app wil u naar een adres sturen dat hier niet bekend is. Dat doen wij niet. U kunt deze pagina sluiten.",
        "This app wants to send you to an address that is not known here. We will not do that. "
        "You can close this page.",
    ),
    "authorize_parameters": (
        "De app stelt een vraag die op twee manieren te lezen is. U kunt deze pagina sluiten.",
        "The app asks something that can be read in two ways. You can close this page.",
    ),
    "authorize_gone": (
        "Deze vraag is al beantwoord, of te oud. Ga terug naar de app en begin opnieuw.",
        "This question has been answered already, or is too old. Go back to the app and start again.",
    ),
    "authorize_operator": (
        "Een beheerder heeft geen dossier en kan geen app toelaten.",
        "An operator has no health record and cannot let an app in.",
    ),
    "authorize_nobody": (
        "U kunt nu voor niemand beslissen welke apps in het dossier mogen. Log in als uzelf, of vraag hulp.",
        "You cannot decide for anybody now which apps may use the record. Log in as yourself, or ask for help.",
    ),
    "authorize_launch": (
        "De app is geopend door iemand anders, of voor een ander dossier. Open de app opnieuw.",
        "The app was opened by somebody else, or for another record. Open the app again.",
    ),
    "authorize_changed": (
        "Er is iets veranderd sinds u deze vraag zag. Er is niets toegestaan. Ga terug naar de app en begin opnieuw.",
        "Something has changed since you saw this question. Nothing was allowed. Go back to the app and start again.",
    ),
    "authorize_no_patient": (
        "Deze persoon is niet gevonden. Ga terug en kies iemand anders.",
        "This person was not found. Go back and choose somebody else.",
    ),
    # The picker.
    "authorize_patients_title": ("Voor wie is de app?", "Who is the app for?"),
    "authorize_patients_explained": (
        "De app {app} wil één dossier openen. Zoek de persoon op naam.",
        "The app {app} wants to open one record. Search for the person by name.",
    ),
    "authorize_name": ("Naam", "Name"),
    "authorize_search": ("Zoeken", "Search"),
    "authorize_name_short": ("Vul ten minste twee letters in.", "Fill in at least two letters."),
    "authorize_none_found": (
        "Wij vinden niemand met deze naam van wie u het dossier mag zien.",
        "We find nobody with this name whose record you may see.",
    ),
    "authorize_found": ("Gevonden", "Found"),
    "authorize_more_found": (
        "Er zijn er meer. Vul meer van de naam in.",
        "There are more. Fill in more of the name.",
    ),
    "authorize_born": ("Geboren op {day}", "Born on {day}"),
    "authorize_unnamed": ("Zonder naam", "Without a name"),
    # The screen.
    "authorize_title": ("Mag {app} in het dossier?", "May {app} use the record?"),
    "authorize_title_professional": ("Mag {app} namens u in dossiers?", "May {app} use records on your behalf?"),
    "authorize_made_by": ("Gemaakt door", "Made by"),
    "authorize_verified": (
        "{publisher}. De beheerder van deze website heeft dit nagegaan.",
        "{publisher}. The operator of this website has checked this.",
    ),
    "authorize_claimed": (
        "De app zegt: {publisher}. Niemand heeft nagegaan wie deze app heeft gemaakt.",
        "The app says: {publisher}. Nobody checked who made this app.",
    ),
    "authorize_unchecked": (
        "Niemand heeft nagegaan wie deze app heeft gemaakt.",
        "Nobody checked who made this app.",
    ),
    "authorize_mark_checked": ("Nagegaan", "Checked"),
    "authorize_mark_unchecked": ("Niet nagegaan", "Not checked"),
    "authorize_asks": ("De app vraagt om", "The app asks for"),
    "authorize_asks_reading": ("Lezen: {count} soorten gegevens", "Reading: {count} kinds of information"),
    "authorize_asks_reading_one": ("Lezen: {count} soort gegevens", "Reading: {count} kind of information"),
    "authorize_asks_writing": (
        "Schrijven of veranderen: {count} soorten gegevens",
        "Writing or changing: {count} kinds of information",
    ),
    "authorize_asks_writing_one": (
        "Schrijven of veranderen: {count} soort gegevens",
        "Writing or changing: {count} kind of information",
    ),
    "authorize_you_choose": (
        "U kiest hieronder zelf wat u toestaat. Weigeren mag altijd.",
        "Below you choose yourself what you allow. You may always refuse.",
    ),
    "authorize_to_answer": ("Naar Weigeren en Toestaan", "Go to Refuse and Allow"),
    "authorize_goes_to": ("De gegevens gaan naar", "The information goes to"),
    "authorize_device": ("een app op dit apparaat", "an app on this device"),
    "authorize_purpose": ("Waarvoor, in de woorden van de app zelf", "What for, in the app's own words"),
    "authorize_no_purpose": ("De app zegt niet waarvoor.", "The app does not say what for."),
    "authorize_you": ("U bent ingelogd als", "You are logged in as"),
    "authorize_dossier": ("Het gaat om het dossier van", "This is about the record of"),
    "authorize_yourself": ("{name} (uzelf)", "{name} (yourself)"),
    "authorize_other_patient": ("Kies iemand anders", "Choose somebody else"),
    "authorize_again": (
        "Deze app mag al in dit dossier. Wat u nu kiest, komt daarvoor in de plaats.",
        "This app may use this record already. What you choose now takes the place of that.",
    ),
    "authorize_nothing": (
        "U hebt niets aangevinkt. Vink aan wat de app mag, of kies Weigeren.",
        "You ticked nothing. Tick what the app may do, or choose Refuse.",
    ),
    "authorize_reading": ("Wat mag de app lezen?", "What may the app read?"),
    "authorize_writing": ("Wat mag de app schrijven of veranderen?", "What may the app write or change?"),
    "authorize_professional_reading": ("De app wil lezen", "The app wants to read"),
    "authorize_professional_writing": ("De app wil schrijven of veranderen", "The app wants to write or change"),
    "authorize_professional_limits": (
        "De app ziet nooit meer dan u zelf mag zien. Wat bewoners voor u hebben gesloten, blijft gesloten.",
        "The app never sees more than you may see yourself. What residents have closed to you stays closed.",
    ),
    "authorize_tick_reading": (
        "Haal het vinkje weg bij wat de app niet mag zien.",
        "Untick what the app may not see.",
    ),
    "authorize_tick_writing": (
        "Haal het vinkje weg bij wat de app niet mag veranderen.",
        "Untick what the app may not change.",
    ),
    "authorize_sensitive": ("Ook gevoelige gegevens?", "Sensitive information too?"),
    "authorize_sensitive_explained": (
        "Wij vinken hier niets aan. Vink alleen aan wat de app ook mag zien.",
        "We tick nothing here. Tick only what the app may see too.",
    ),
    "authorize_duration": ("Hoe lang mag dit?", "For how long?"),
    "authorize_once": ("Eén keer, hoogstens een uur", "Once, for an hour at most"),
    "authorize_months": ("Drie maanden", "Three months"),
    "authorize_always": ("Tot ik ermee stop", "Until I stop it"),
    "authorize_only_once": (
        "De app mag dit één keer, hoogstens een uur.",
        "The app may do this once, for an hour at most.",
    ),
    "authorize_stop": (
        "U kunt hier op elk moment mee stoppen, bij “Wie mag meekijken?”.",
        "You can stop this at any time, under “Who can see the record?”.",
    ),
    "authorize_stop_professional": (
        "U kunt hier op elk moment mee stoppen, bij “Mijn apps”.",
        "You can stop this at any time, under “My apps”.",
    ),
    "authorize_refuse": ("Weigeren", "Refuse"),
    "authorize_allow": ("Toestaan", "Allow"),
}
