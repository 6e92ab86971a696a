"""What a client may be: its name, its redirect URIs, its scopes, its keys.

https://datatracker.ietf.org/doc/html/rfc7591#section-2, https://datatracker.ietf.org/doc/html/rfc9700#section-2.1
"""

import re
from collections.abc import Sequence
from typing import Final, get_args
from unicodedata import category
from urllib.parse import SplitResult, urlsplit

from fhir_server.gateway.requester import USER_TYPES
from fhir_server.gateway.tokens import ACT_REASON
from fhir_server.smart import scopes
from fhir_server.smart.form import SCOPE_CHARACTERS_MAX
from fhir_server.smart.keysets import check_registered
from fhir_server.smart.records import APP_DEVICE, AssertionProfile, Client, ClientKind
from profiles.registry import Registry

NAME_CHARACTERS_MAX: Final = 100
EXPLANATION_CHARACTERS_MAX: Final = 1000
URI_CHARACTERS_MAX: Final = 2000
URIS_MAX: Final = 20
LOOPBACK: Final = ("127.0.0.1", "[::1]", "localhost")

# With `app-` before it, an id of a resource: https://hl7.org/fhir/R4/datatypes.html#id
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,60}")
_LOGICAL_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
# RFC 3986, section 2, without `*`: a wildcard would match nothing here, and who writes one expects it to.
_URI: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()+,;=%]+")
# RFC 8252, section 7.1: a private-use scheme is a reversed domain name, so it has a dot.
_PRIVATE_USE: Final = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")
# People judge an app by its name: nothing in it that can't be seen or that turns the writing round, such as controls,
# formats and what is not assigned (https://www.unicode.org/reports/tr44/#General_Category_Values), and fillers.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class RedirectUriError(ValueError):
    """A redirect URI that nobody can register."""


def check(client: Client, registry: Registry) -> None:
    """Raises ValueError, RedirectUriError for a redirect URI, that names the member and the rule."""
    if not _ID.fullmatch(client.id):
        raise ValueError("client id is 1 to 60 letters, digits, dots and hyphens")
    if client.kind not in get_args(ClientKind):
        raise ValueError(f"kind is one of {', '.join(get_args(ClientKind))}")
    if client.assertion_profile not in get_args(AssertionProfile):
        raise ValueError(f"assertion profile is one of {', '.join(get_args(AssertionProfile))}")
    _check_words(client)
    _check_addresses(client)
    _check_scope(client, registry)
    _check_use(client, registry)
    _check_keys(client)


def check_redirect_uri(uri: str) -> None:
    """https, or http on this machine, or a scheme of the app's own with a dot; raises RedirectUriError."""
    try:
        parts = _parts(uri, "redirect_uri")
    except ValueError as error:
        raise RedirectUriError(str(error)) from None
    if parts.scheme in ("https", "http"):
        if not parts.hostname:
            raise RedirectUriError("redirect_uri has a host")
        if parts.scheme == "http" and not is_loopback(parts):
            raise RedirectUriError("redirect_uri is https; http is for loopback only")
    elif not _PRIVATE_USE.fullmatch(parts.scheme):
        # `javascript:`, `data:` and their like have no dot.
        raise RedirectUriError("redirect_uri is https, http on loopback, or has a private-use scheme with a dot")


def check_https(uri: str, member: str) -> None:
    """Raises ValueError unless it is an https URL with a host."""
    parts = _parts(uri, member)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(f"{member} is an https URL")


def is_loopback(parts: SplitResult) -> bool:
    """Whether the host is this machine as RFC 8252, section 7.3 writes it, or `localhost`."""
    host = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    return host in LOOPBACK


def _parts(uri: str, member: str) -> SplitResult:
    if len(uri) > URI_CHARACTERS_MAX or not _URI.fullmatch(uri):
        raise ValueError(f"{member} is a URI of at most {URI_CHARACTERS_MAX} characters, without a wildcard")
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise ValueError(f"{member} is a URI") from None
    if "#" in uri:
        raise ValueError(f"{member} has no fragment")  # RFC 6749, section 3.1.2
    if "@" in parts.netloc:
        raise ValueError(f"{member} has no user name")
    if not uri.startswith(f"{parts.scheme}:") or not parts.scheme:
        raise ValueError(f"{member} is an absolute URI with its scheme in lower case")
    if parts.netloc != parts.netloc.lower() or parts.netloc.endswith(":") or port == 0:
        raise ValueError(f"{member} has its host in lower case, and a port or no colon")
    return parts


def _check_words(client: Client) -> None:
    if not client.name.strip() or len(client.name) > NAME_CHARACTERS_MAX:
        raise ValueError(f"name has 1 to {NAME_CHARACTERS_MAX} characters")
    if len(client.publisher) > NAME_CHARACTERS_MAX:
        raise ValueError(f"publisher has at most {NAME_CHARACTERS_MAX} characters")
    if len(client.explanation) > EXPLANATION_CHARACTERS_MAX:
        raise ValueError(f"explanation has at most {EXPLANATION_CHARACTERS_MAX} characters")
    for member in ("name", "publisher", "explanation"):
        if any(category(sign) in _UNSEEN or sign in _FILLERS for sign in getattr(client, member)):
            raise ValueError(f"{member} has no line breaks, no controls, and nothing that can't be seen")
    if client.verified and not client.publisher:
        raise ValueError("verified is said of a publisher, and there is none")


def _check_addresses(client: Client) -> None:
    _check_distinct(client.redirect_uris, "redirect_uri")
    for uri in client.redirect_uris:
        check_redirect_uri(uri)
    _check_distinct(client.origins, "origin")
    for origin in client.origins:
        check_origin(origin)
    if client.launch_uri:
        parts = _parts(client.launch_uri, "launch_uri")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts)):
            raise ValueError("launch_uri is https; http is for loopback only")


def check_origin(origin: str) -> None:
    """Scheme, host and port as a browser's header says them; raises ValueError. https://www.rfc-editor.org/rfc/rfc6454"""
    parts = _parts(origin, "origin")
    if origin != f"{parts.scheme}://{parts.netloc}" or not parts.hostname:
        raise ValueError("origin is scheme, host and port, without a path")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts)):
        raise ValueError("origin is https; http is for loopback only")


def _check_distinct(uris: Sequence[str], member: str) -> None:
    if len(uris) > URIS_MAX or len(set(uris)) < len(uris):
        raise ValueError(f"there are at most {URIS_MAX} of {member}, no two alike")


def _check_scope(client: Client, registry: Registry) -> None:
    if len(client.scope) > SCOPE_CHARACTERS_MAX:
        raise ValueError(f"scope is at most {SCOPE_CHARACTERS_MAX} characters")
    for word in client.scope.split():
        if not scopes.known(word, registry.resource_types):
            raise ValueError(f"scope `{word[:60]}` is not one that this server knows")


def _check_use(client: Client, registry: Registry) -> None:
    """What it is for: people who let it in, work of its own, or asking about tokens."""
    if len(set(client.grants)) < len(client.grants):
        raise ValueError("grants are named once each")
    lets_in = "authorization_code" in client.grants
    backend = "client_credentials" in client.grants
    if "refresh_token" in client.grants and not lets_in:
        raise ValueError("grant refresh_token goes with authorization_code")
    if not (lets_in or backend or client.introspects):
        raise ValueError("a client has a redirect_uri, or a user to act as, or introspects")
    if lets_in != bool(client.redirect_uris):
        raise ValueError("a redirect_uri and grant authorization_code go together")
    if backend != bool(client.user):
        raise ValueError("a user to act as and grant client_credentials go together")
    if (lets_in or backend) and not client.scope.strip():
        raise ValueError("scope is the most that it may ask for, and there is none")
    if backend:
        # SMART Backend Services knows no other way to show who asks.
        if client.kind != "asymmetric":
            raise ValueError("a client that acts as a user by itself is asymmetric")
        kind, _, id = client.user.partition("/")
        if kind not in USER_TYPES or not _LOGICAL_ID.fullmatch(id):
            raise ValueError(f"user is one of {', '.join(USER_TYPES)} with an id, such as Organization/1")
        if client.user.startswith(APP_DEVICE):
            raise ValueError("user is no registered app: what residents opened to that is not for a backend service")
    elif scopes.of_context(client.scope, "system", registry.resource_types):
        raise ValueError("scope system/ is for a client that acts as a user by itself")
    if client.introspects and client.kind == "public":
        raise ValueError("a client that introspects is not public")
    if client.purpose:
        reasons = registry.codesystem(ACT_REASON)
        if reasons is None or client.purpose not in reasons:
            raise ValueError("purpose is a code of v3 ActReason, such as TREAT")


def _check_keys(client: Client) -> None:
    given = bool(client.jwks) + bool(client.jwks_uri)
    if given != (1 if client.kind == "asymmetric" else 0):
        raise ValueError("an asymmetric client has either jwks or jwks_uri, others neither")
    if client.jwks:
        check_registered(client.jwks)
    if client.jwks_uri:
        check_https(client.jwks_uri, "jwks_uri")
