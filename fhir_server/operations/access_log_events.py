"""What happened around a dossier besides reading and writing: logging in, and apps that come and go, in a sentence.

The details are those that the authorization server puts on its audit entries.
https://www.w3.org/WAI/WCAG22/Understanding/reading-level
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

Text: TypeAlias = tuple[str, str]
"""Dutch, English."""

# `who` did it ({has} and {is_} go with them), with or to `app`; `behalf` tells for whom.
EVENTS: Final[Mapping[str, Text]] = {
    "logged in": ("{who} {is_} {when} ingelogd.", "{who} logged in {when}."),
    "logged out": ("{who} {is_} {when} uitgelogd.", "{who} logged out {when}."),
    # Who did these is in the account and not in the dossier.
    "account added": (
        "Er is {when} een manier gemaakt om hier in te loggen.",
        "A way to log in here was made {when}.",
    ),
    "account removed": (
        "Er is {when} een manier weggehaald om hier in te loggen.",
        "A way to log in here was taken away {when}.",
    ),
    "password changed": ("Het wachtwoord is {when} veranderd.", "The password was changed {when}."),
    "second step switched on": (
        "Inloggen met een code is {when} aangezet.",
        "Logging in with a code was switched on {when}.",
    ),
    "second step switched off": (
        "Inloggen met een code is {when} uitgezet.",
        "Logging in with a code was switched off {when}.",
    ),
    "a wrong name or password was given": (
        "Iemand wilde {when} inloggen met de verkeerde gegevens; dat is geweigerd.",
        "Somebody tried to log in with wrong details {when}; this was refused.",
    ),
    "a wrong code was given": (
        "Iemand wilde {when} inloggen met een verkeerde code; dat is geweigerd.",
        "Somebody tried to log in with a wrong code {when}; this was refused.",
    ),
    "app let in": (
        "{who} {has} {when} de app {app} toegelaten.",
        "{who} let in the app {app} {when}.",
    ),
    "app let in anew": (
        "{who} {has} {when} de app {app} opnieuw toegelaten. Wat daarvoor gold, is gestopt.",
        "{who} let in the app {app} again {when}. What counted before has stopped.",
    ),
    "app not let in": (
        "{who} {has} {when} de app {app} niet toegelaten.",
        "{who} did not let in the app {app} {when}.",
    ),
    "app not let in after all": (
        "{who} {has} {when} de app {app} toch niet toegelaten.",
        "{who} did not let in the app {app} after all {when}.",
    ),
    "app stopped": (
        "{who} {has} {when} de app {app} gestopt.",
        "{who} stopped the app {app} {when}.",
    ),
    "app removed": (
        "De app {app} is {when} gestopt, omdat de beheerder de app heeft weggehaald.",
        "The app {app} was stopped {when}, because the operator removed it.",
    ),
    "app stopped with the account": (
        "De app {app} is {when} gestopt, omdat wie de app toeliet hier niet meer kan inloggen.",
        "The app {app} was stopped {when}, because who let it in can no longer log in here.",
    ),
    "app narrowed": (
        "{who} {has} {when} de app {app} minder laten zien.",
        "{who} let the app {app} see less {when}.",
    ),
    "app launched": (
        "{who} {has} {when} de app {app} gestart.",
        "{who} started the app {app} {when}.",
    ),
    "access token issued for a code": (
        "De app {app} heeft {when} toegang gekregen {behalf}.",
        "The app {app} was given access {when} {behalf}.",
    ),
    "access token refreshed": (
        "De app {app} heeft {when} opnieuw toegang gekregen {behalf}.",
        "The app {app} was given access again {when} {behalf}.",
    ),
    "the app gave back what it was granted": (
        "De app {app} is {when} zelf gestopt.",
        "The app {app} stopped by itself {when}.",
    ),
    "the app gave back an access token": (
        "De app {app} heeft {when} de toegang teruggegeven.",
        "The app {app} gave back its access {when}.",
    ),
    "a code was used again": (
        "De app {app} is {when} gestopt, omdat iemand anders zich misschien als deze app voordeed.",
        "The app {app} was stopped {when}, because somebody else may have posed as it.",
    ),
    "a refresh token was used again": (
        "De app {app} is {when} gestopt, omdat iemand anders zich misschien als deze app voordeed.",
        "The app {app} was stopped {when}, because somebody else may have posed as it.",
    ),
}
_YOUR_BEHALF: Final[Text] = ("namens u", "on your behalf")
_BEHALF: Final[Text] = ("namens {who}", "on behalf of {who}")


def event(detail: str, at: int, *, who: str, own: bool, app: str, when: str) -> str:
    """The sentence in Dutch (`at` 0) or English (1), '' if the detail is none of these. `own`: the reader did it."""
    words = EVENTS.get(detail)
    if words is None:
        return ""
    behalf = (_YOUR_BEHALF if own else _BEHALF)[at].format(who=who)
    has, is_ = ("hebt", "bent") if own else ("heeft", "is")
    return words[at].format(who=who, has=has, is_=is_, app=app, when=when, behalf=behalf)
