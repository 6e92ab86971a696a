"""Logging in at an OpenID Provider, as its client: a code, PKCE, nonce, state, and an id_token that is checked.

In production that is where people log in: a broker in front of DigiD for residents, of a professional's means of
identification for professionals. https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth,
https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from fhir_server.smart import keysets, provider_token
from fhir_server.smart.accounts import RESIDENT_TYPES, Accounts
from fhir_server.smart.client_metadata import is_loopback
from fhir_server.smart.form import Form
from fhir_server.smart.jwks import Fetched, KeySets
from fhir_server.smart.keysets import KeyFault
from fhir_server.smart.provider_token import Disbelieved, Identified
from fhir_server.smart.records import Account, ProviderRequest, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import AuthConflict, Kept
from profiles import json

Role = Literal["resident", "professional"]
# `unavailable`: it does not answer, or not as it should; `refused`: it, or the person there, said no; `stale`: this
# browser did not ask, or too long ago; `unknown`: nobody here; `weak`: not shown well enough.
Fault = Literal["unavailable", "refused", "stale", "unknown", "weak"]

_SECOND: Final = 1_000_000
LASTS: Final = 600 * _SECOND
SECONDS_MAX: Final = 10.0
BYTES_MAX: Final = 256 * 1024
METADATA_SECONDS: Final = 3600.0
KEYS_SECONDS: Final = 3600.0


class ProviderFault(Exception):
    """`fault` is for the person, `why` for the operator's log; neither repeats what was sent."""

    def __init__(self, fault: Fault, why: str) -> None:
        super().__init__(f"{fault}: {why}")
        self.fault = fault
        self.why = why


@dataclass(frozen=True, slots=True)
class Recognised:
    """An account of ours, as whom of its people they showed well enough to be, and where they were on their way to.

    `since` is when they showed it, in microseconds since 1970 UTC.
    """

    account: Kept[Account]
    people: tuple[str, ...]
    acr: str
    since: int
    following: str


@dataclass(frozen=True, slots=True)
class _Metadata:
    authorize: str
    token: str
    keys: str
    by_post: bool  # it takes the client secret in the form only
    says_issuer: bool


class Provider:
    """The provider that the settings name; one per process."""

    def __init__(self, server: AuthorizationServer, accounts: Accounts) -> None:
        settings = server.settings
        self._server = server
        self._accounts = accounts
        self._issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret
        self._acr = {
            "resident": settings.oidc_acr_resident.split(),
            "professional": settings.oidc_acr_professional.split(),
        }
        self._keys = KeySets(self._fetch_keys)
        self._metadata: _Metadata | None = None
        self._until = 0.0

    @property
    def roles(self) -> tuple[Role, ...]:
        """As what somebody may come; () if what they have to show is the same."""
        return ("resident", "professional") if self._acr["resident"] != self._acr["professional"] else ()

    async def begin(self, browser: str, following: str, role: Role, redirect_uri: str, *, again: bool) -> str:
        """Where to send the browser that has the cookie `browser`. `again`: even if the provider still knows them.

        Raises ProviderFault.
        """
        metadata = await self._discover()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        expires = self._server.now() + LASTS
        asked = ProviderRequest(
            browser=digest(browser), nonce=nonce, verifier=verifier, following=following, expires=expires
        )
        shelf = self._server.state.provider_requests
        await self._server.state.commit(shelf.add(digest(state), asked, expires=expires))
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if self._acr[role]:
            parameters["acr_values"] = " ".join(self._acr[role])
        if again:
            parameters["prompt"] = "login"
        joined = "&" if urlsplit(metadata.authorize).query else "?"
        return f"{metadata.authorize}{joined}{urlencode(parameters)}"

    async def finish(self, browser: str, answer: Form, redirect_uri: str) -> Recognised:
        """Who came back, by the parameters that the provider sent along. Raises ProviderFault, OAuthError."""
        asked = await self._taken(answer.one("state") or "", browser)
        metadata = await self._discover()
        said = answer.one("iss")
        # RFC 9207: the answer of another provider must not be taken to this one.
        if said != self._issuer and (said is not None or metadata.says_issuer):
            raise ProviderFault("refused", "iss of the answer is another")
        if answer.one("error") is not None:
            raise ProviderFault("refused", "the provider answered with an error")
        code = answer.one("code")
        if code is None:
            raise ProviderFault("refused", "the provider sent no code")
        text = await self._redeem(metadata, code, asked.verifier, redirect_uri)
        try:
            identified = await self._believe(metadata, text, asked.nonce)
        except Disbelieved as error:
            raise ProviderFault("refused", f"id_token: {error}") from None
        account = await self._accounts.known_as(self._issuer, identified.subject)
        if account is None:
            raise ProviderFault("unknown", "there is no account for this subject")
        people = tuple(person for person in account.value.people if self._is_enough(person, identified.acr))
        if not people:
            raise ProviderFault("weak", "acr is not one of those that the settings name")
        since = identified.since * _SECOND or self._server.now()
        return Recognised(account, people, identified.acr, since, asked.following)

    def _is_enough(self, person: str, acr: str) -> bool:
        """Whether that was shown well enough to be this person."""
        allowed = self._acr["resident" if person.partition("/")[0] in RESIDENT_TYPES else "professional"]
        return not allowed or acr in allowed

    async def _taken(self, state: str, browser: str) -> ProviderRequest:
        """What this browser asked, which is answered once. Raises ProviderFault."""
        shelf = self._server.state.provider_requests
        kept = await shelf.get(digest(state))
        if kept is None or kept.value.browser != digest(browser) or kept.value.expires <= self._server.now():
            raise ProviderFault("stale", "state is not one that this browser was given a moment ago")
        try:
            await self._server.state.commit(shelf.remove(kept))
        except AuthConflict:
            raise ProviderFault("stale", "state was answered already") from None
        return kept.value

    async def _believe(self, metadata: _Metadata, text: str, nonce: str) -> Identified:
        """Raises Disbelieved; ProviderFault if the keys can't be had."""
        presented = provider_token.read(text)
        try:
            keys = await self._keys.keys(metadata.keys, presented.kid)
        except KeyFault:
            raise ProviderFault("unavailable", "the keys of the provider can't be had") from None
        return provider_token.verify(
            presented,
            keys,
            issuer=self._issuer,
            client_id=self._client_id,
            nonce=nonce,
            now=self._server.now() // _SECOND,
        )

    async def _redeem(self, metadata: _Metadata, code: str, verifier: str, redirect_uri: str) -> str:
        """The id_token that the code is good for. Raises ProviderFault."""
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        auth: tuple[str, str] | None = None
        if self._secret and metadata.by_post:
            sent["client_secret"] = self._secret
        elif self._secret:
            # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
            auth = (_form_encoded(self._client_id), _form_encoded(self._secret))
        answer = await _exchange("POST", metadata.token, data=sent, auth=auth)
        token = _read(answer).get("id_token")
        if not isinstance(token, str):
            raise ProviderFault("refused", "the token endpoint gave no id_token")
        return token

    async def _discover(self) -> _Metadata:
        """What the provider says of itself, kept for an hour. Raises ProviderFault."""
        if self._metadata is None or monotonic() >= self._until:
            url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            self._metadata = self._understood(_read(await _exchange("GET", url)))
            self._until = monotonic() + METADATA_SECONDS
        return self._metadata

    def _understood(self, told: Mapping[str, Any]) -> _Metadata:
        # Discovery, section 4.3: they must be the same, or one provider could speak for another.
        if told.get("issuer") != self._issuer:
            raise ProviderFault("unavailable", "issuer of the metadata is another")
        authorize, token, keys = (
            _endpoint(told, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        methods = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        by_post = "client_secret_post" in methods and "client_secret_basic" not in methods
        return _Metadata(
            authorize, token, keys, by_post, told.get("authorization_response_iss_parameter_supported") is True
        )

    async def _fetch_keys(self, url: str) -> Fetched:
        try:
            return Fetched(keysets.read(await _exchange("GET", url)), KEYS_SECONDS)
        except ProviderFault:
            raise KeyFault("the key set of the provider could not be fetched") from None


def _endpoint(told: Mapping[str, Any], name: str) -> str:
    """Raises ProviderFault for what is no URL that may be asked."""
    url = told.get(name)
    if not isinstance(url, str) or not _is_safe(url):
        raise ProviderFault("unavailable", f"{name} of the metadata is no https URL")
    return url


def _is_safe(url: str) -> bool:
    """https, or http to this machine itself."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts)))
    except ValueError:
        return False


async def _exchange(method: str, url: str, **options: Any) -> bytes:
    """The body of a 200. Raises ProviderFault for anything else."""
    import httpx  # here: it takes a fifth of the time to start a worker, and few workers need it

    if not _is_safe(url):
        raise ProviderFault("unavailable", "the provider is not at an https URL")
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(SECONDS_MAX),
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS_MAX) as http,
            http.stream(method, url, headers=headers, **options) as answer,
        ):
            if answer.status_code != 200:
                # RFC 6749, section 5.2: 400 is about what was sent, a code that it never gave for instance; anything
                # else, a client that it does not know among them, is between the operator and the provider.
                fault: Fault = "refused" if method == "POST" and answer.status_code == 400 else "unavailable"
                raise ProviderFault(fault, f"the provider answered with {answer.status_code}")
            body = b""
            async for part in answer.aiter_raw():
                body += part
                if len(body) > BYTES_MAX:
                    raise ProviderFault("unavailable", "the provider answered with too much")
            return body
    except (TimeoutError, OSError, httpx.HTTPError, httpx.InvalidURL):
        raise ProviderFault("unavailable", "the provider does not answer") from None


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        return json.parse(body)
    except json.JsonError:
        raise ProviderFault("unavailable", "the provider answered with something that is no JSON object") from None


def _form_encoded(text: str) -> str:
    return urlencode({"": text})[1:]
