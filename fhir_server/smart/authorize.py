"""A request to /authorize, checked against the client that it names; nothing is looked up and nothing is changed here.

What is wrong with the client or its redirect URI is told on a page, as nobody may be sent to an address that was not
registered. Everything else is told to the app, at its redirect URI.
https://datatracker.ietf.org/doc/html/rfc6749#section-4.1.1, https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlencode

from fhir_server.gateway.scopes import parse
from fhir_server.smart import scopes
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.errors import OAuthError, invalid_request, invalid_scope, unauthorized_client
from fhir_server.smart.form import Form
from fhir_server.smart.pkce import is_challenge
from fhir_server.smart.records import Authorization, Client, Launch
from fhir_server.smart.state import Kept

# How long a request waits for the person to log in and to answer.
WAIT_SECONDS: Final = 900
TEXT_CHARACTERS_MAX: Final = 2000

# Of these a second one is told to the app; of any other parameter on a page, as there is no telling what was meant.
REPEATABLE: Final = (
    "response_type", "response_mode", "scope", "state", "aud", "code_challenge", "code_challenge_method", "nonce",
    "launch", "prompt", "max_age", "request", "request_uri",
)  # fmt: skip

_SECOND: Final = 1_000_000
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
# RFC 8252, section 7.3: an app on this machine listens at whichever port is free.
_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::[1-9][0-9]{0,4})?([/?].*)?")


class PageError(Exception):
    """Nobody can be sent back: `problem` is `client`, `redirect_uri` or `parameters`."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Refused(Exception):
    """The app is told at `location`."""

    def __init__(self, location: str) -> None:
        super().__init__("the request was refused")
        self.location = location


def redirect_uri(form: Form, client: Client | None) -> str:
    """Where the answer goes. Raises PageError unless it was registered, character by character."""
    if client is None:
        raise PageError("client")
    asked = _alone(form, "redirect_uri")
    if asked is None or not any(_same(asked, registered) for registered in client.redirect_uris):
        raise PageError("redirect_uri")
    return asked


def client_id(form: Form) -> str:
    """Who asks, '' if nobody says so. Raises PageError if it is there twice."""
    return _alone(form, "client_id") or ""


def check(
    form: Form, client: Client | None, launch: Kept[Launch] | None, at: Addresses, types: Collection[str], now: int
) -> Authorization:
    """The request as it waits for the person. `launch` is what the parameter of that name stands for, None: nothing.

    Raises PageError, or Refused with the app's redirect URI.
    """
    target = redirect_uri(form, client)
    assert client is not None  # INVARIANT: redirect_uri says so
    try:
        state = _text(form, "state")
    except OAuthError as error:
        raise Refused(_location(target, _errors(error, "", at.issuer))) from None
    try:
        return _checked(form, client, target, state, launch, at, types, now)
    except OAuthError as error:
        raise Refused(_location(target, _errors(error, state or "", at.issuer))) from None


def answer(authorization: Authorization, code: str) -> str:
    """The redirect URL with the code. https://datatracker.ietf.org/doc/html/rfc9207#section-2"""
    said = {"code": code, "state": authorization.state, "iss": authorization.issuer}
    return _location(authorization.redirect_uri, said)


def refusal(authorization: Authorization, error: OAuthError) -> str:
    """The redirect URL with the error."""
    return _location(authorization.redirect_uri, _errors(error, authorization.state, authorization.issuer))


def logged_in_since(authorization: Authorization) -> int:
    """The login that answers is no older than this (microseconds since 1970 UTC); 0: any will do.

    https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
    """
    asked_at = authorization.expires - WAIT_SECONDS * _SECOND
    if {"login", "select_account"} & set(authorization.prompt.split()):
        return asked_at
    return max(0, asked_at - authorization.max_age * _SECOND) if authorization.max_age >= 0 else 0


def needs_patient(scope: str, types: Collection[str]) -> bool:
    """Whether the answer names a patient: whoever asks for `launch/patient`, or for anything `patient/…`."""
    return scopes.LAUNCH_PATIENT in scopes.words(scope) or any(one.context == "patient" for one in parse(scope, types))


def _checked(
    form: Form,
    client: Client,
    target: str,
    state: str | None,
    launch: Kept[Launch] | None,
    at: Addresses,
    types: Collection[str],
    now: int,
) -> Authorization:
    if "authorization_code" not in client.grants:
        raise unauthorized_client("client was not registered for codes")
    for name in ("request", "request_uri"):
        if form.one(name) is not None:
            raise OAuthError(f"{name}_not_supported", f"{name} is not supported")
    if form.one("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type is code")
    if form.one("response_mode") not in (None, "query"):
        raise invalid_request("response_mode is query")
    if state is None:
        raise invalid_request("state is missing")
    # SMART: the app names the server that it will send the token to, so that no other can have it asked for here.
    if (form.one("aud") or "").removesuffix("/") != at.base:
        raise invalid_request("aud is the FHIR base URL of this server")
    if form.one("code_challenge_method") != "S256" or not is_challenge(form.one("code_challenge") or ""):
        raise invalid_request("code_challenge is needed, of method S256")
    handle = form.one("launch")
    if handle is not None and launch is None:
        raise invalid_request("launch is unknown, was used or has expired")
    return Authorization(
        client=client.id,
        redirect_uri=target,
        state=state,
        scope=_scope(form, client, launch, types),
        challenge=form.required("code_challenge"),
        nonce=_text(form, "nonce") or "",
        launch=launch.key if launch else "",
        patient=launch.value.patient if launch else "",
        prompt=_prompt(form),
        max_age=_max_age(form),
        version_1=scopes.asks_version_1(form.one("scope") or ""),
        base=at.base,
        issuer=at.issuer,
        expires=now + WAIT_SECONDS * _SECOND,
    )


def _scope(form: Form, client: Client, launch: Kept[Launch] | None, types: Collection[str]) -> str:
    """What is known of the scopes and lies within the client's. Raises OAuthError invalid_scope if that is nothing."""
    asked = form.one("scope")
    if asked is None:
        raise invalid_scope("scope is missing")
    if launch is not None and scopes.LAUNCH not in scopes.words(asked):
        raise invalid_scope("whoever was launched asks for the scope launch")
    shared = scopes.common(asked, client.scope, types)
    # Nobody who logs in is the system, and who was not launched has no launch.
    without = {scopes.LAUNCH} if launch is None else set()
    if "refresh_token" not in client.grants:
        without |= {scopes.OFFLINE, scopes.ONLINE}
    words = [word for word in scopes.words(shared) if word not in without]
    allowed = scopes.written(words, [one for one in parse(shared, types) if one.context != "system"])
    if not allowed:
        raise invalid_scope("nothing of what is asked for can be granted to this client")
    return allowed


def _prompt(form: Form) -> str:
    prompt = (form.one("prompt") or "").split()
    if not set(prompt) <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise invalid_request("prompt is none, or some of login, consent and select_account")
    return " ".join(prompt)


def _max_age(form: Form) -> int:
    asked = form.one("max_age")
    if asked is None:
        return -1
    if not _SECONDS.fullmatch(asked):
        raise invalid_request("max_age is a number of seconds")
    return int(asked)


def _text(form: Form, name: str) -> str | None:
    value = form.one(name)
    if value is not None and len(value) > TEXT_CHARACTERS_MAX:
        raise invalid_request(f"{name} has at most {TEXT_CHARACTERS_MAX} characters")
    return value


def _alone(form: Form, name: str) -> str | None:
    try:
        return form.one(name)
    except OAuthError:
        raise PageError("parameters") from None


def _same(asked: str, registered: str) -> bool:
    if asked == registered:
        return True
    one, other = _LOOPBACK.fullmatch(asked), _LOOPBACK.fullmatch(registered)
    return one is not None and other is not None and one.groups() == other.groups()


def _errors(error: OAuthError, state: str, issuer: str) -> Mapping[str, str]:
    return {**error.json(), **({"state": state} if state else {}), "iss": issuer}


def _location(target: str, said: Mapping[str, str]) -> str:
    """RFC 6749, section 3.1.2: what stands in the query of a registered URI stays there."""
    return f"{target}{'&' if '?' in target else '?'}{urlencode(said)}"
