"""What keeps a page the person's own: its headers, its cookies, and proof that a form is one of ours.

https://www.w3.org/TR/CSP3/, https://datatracker.ietf.org/doc/html/rfc6265,
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

COOKIE: Final = "wijkdossier"
LANGUAGE_COOKIE: Final = "wijkdossier-language"
DEVICE_COOKIE: Final = "wijkdossier-device"
CSRF_FIELD: Final = "csrf"

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
)

# A page of ours: no host, no `//`, nothing that a browser would read as another site.
# No `..` either, by which a browser leaves for whatever else the same host serves.
_OWN_PATH: Final = re.compile(
    r"/(?:portal|auth)(?:/(?!\.{1,2}(?:[/?]|$))[A-Za-z0-9._~-]+)*/?(?:\?[A-Za-z0-9._~%&=+:/-]*)?"
)
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.:-]+")
_IPV6: Final = re.compile(r"\[[0-9a-f:.]+\](?::[0-9]+)?")
_WEB: Final = ("http", "https")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")

START: Final = "/portal/"


def headers(redirects_to: Sequence[str] = ()) -> dict[str, str]:
    """Of every answer of the portal. `redirects_to` are URLs that the form of this page may lead to in the end.

    Chromium holds the redirect that answers a form against form-action too, so the screen that ends in an app's
    redirect URI has to name where that is: its origin; or its scheme, if that is an app's own or the host is an IPv6
    address, which a source expression cannot name. https://www.w3.org/TR/CSP3/#framework-directive-source-list
    """
    targets = ["'self'"]
    for url in redirects_to:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if _ORIGIN.fullmatch(origin):
            targets.append(origin)
        elif _SCHEME.fullmatch(parts.scheme) and (parts.scheme not in _WEB or _IPV6.fullmatch(parts.netloc)):
            targets.append(f"{parts.scheme}:")
    return {**_HEADERS, "Content-Security-Policy": _POLICY.format(targets=" ".join(dict.fromkeys(targets)))}


def csrf(key: bytes, cookie: str) -> str:
    """What a form of the browser with this cookie carries in the field `csrf`."""
    return hmac.digest(key, b"csrf\0" + cookie.encode(), sha256).hex()


def is_ours(key: bytes, cookie: str, field: str | None) -> bool:
    """Whether the form was made for the browser with this cookie."""
    return bool(cookie) and hmac.compare_digest(csrf(key, cookie).encode(), (field or "").encode())


def is_foreign(issuer: str, sent: Mapping[str, str]) -> bool:
    """Whether the headers (names in lower case) say that another site's page sent the form.

    `Origin: null` says nothing: under `Referrer-Policy: no-referrer` that is what our own pages send. Fetch metadata
    tells the two apart where the browser has it. https://fetch.spec.whatwg.org/#append-a-request-origin-header
    """
    if sent.get("sec-fetch-site", "same-origin") != "same-origin":
        return True
    parts = urlsplit(issuer)
    return sent.get("origin", "null") not in ("null", f"{parts.scheme}://{parts.netloc}")


def own_path(asked: str | None) -> str:
    """The page to go on to, if it is one of ours; otherwise the start page."""
    if asked and len(asked) <= 2000 and _OWN_PATH.fullmatch(asked):
        return asked
    return START


def cookies(header: str, *, secure: bool) -> dict[str, str]:
    """Our cookies of a Cookie header, by name; the first of a name counts (RFC 6265, section 5.4).

    `secure`: over TLS, where only those count that nobody but this very host can have set.
    """
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, sign, value = part.strip().partition("=")
        if sign:
            found.setdefault(name, value)
    prefix = _prefix(secure)
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def set_cookie(name: str, value: str, *, secure: bool, seconds: int | None = None) -> str:
    """The Set-Cookie header. `seconds` None: until the browser closes; 0: taken away."""
    age = "" if seconds is None else f"; Max-Age={seconds}"
    return f"{_prefix(secure)}{name}={value}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}{age}"


def _prefix(secure: bool) -> str:
    """By which browsers refuse a cookie that a neighbouring host set, to have somebody act in its own login.

    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2
    """
    return "__Host-" if secure else ""
