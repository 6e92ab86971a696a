"""Requests to pages and to the endpoints of the authorization server that nobody in their right mind sends, from a seed.

Each begins as one that is right; then one or two things in it are not.
"""

import base64
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import quote, quote_from_bytes, quote_plus

from tests.adversary.authorizing import HOST, ISSUER, REDIRECT, Form, signed
from tests.adversary.hostile import METHODS, TEXTS, Raw

# In a page each of these stands escaped or not at all.
MARKED: Final = ('<zq>', '"zq" onmouseover="zq', "'zq'", "</textarea><zq>", "<img src=zq onerror=zq>", "javascript:zq//", "{{7*7}}zq", "{% zq %}", "<!--zq", "]]>zq<", "\r\nx-zq: zq", "x zq\nSet-Cookie: zq=1", "&lt;zq&gt;<zq", "\u2028<zq>", "%3Czq%3E", "data:text/html,<zq>")  # fmt: skip
ADDRESSES: Final = (
    "https://evil.test/", "https://app.test.evil.test/after", "https://app.test/after/", "https://app.test/after?x", "https://app.test/after#x", "https://app.test/after/../x",
    "https://APP.test/after", "https://user@app.test/after", "https://app.test:443/after", "https://app.test\\@evil.test/after", "//evil.test", "/\\evil.test", "http://app.test/after", "javascript:alert(1)",
    "http://127.0.0.1:1/after", "http://127.0.0.1:99999/after", "http://127.0.0.1/after", "http://localhost:4000/after", "http://127.0.0.1:4000/after?x=1", "http://[::1]:4000/after", "http://127.0.0.1:4000@evil.test/after", "http://127.0.0.1.evil.test:4000/after", "data:,x", "",
    "https://app.test/after%0d%0aX: y", "https://app.test/after\tx", " https://app.test/after", "/portal/log", "//portal/log", "/portal/../../evil", "https:app.test/after",
)  # fmt: skip
SCOPES: Final = ("patient/*.*", "patient/*.cruds", "patient/Observation.rs?category=x", "patient/Observation.rs?x=<zq>", "patient/Observation.rs?code=a|b&c=%ff", "system/*.cruds", "user/*.rs " * 60, "openid " * 3000, "launch/patient launch/encounter", "*/*.*", "patient/Nothing.rs", "patient/Observation.sr", "patient/Observation.", "offline_access", "patient/*.rs\tuser/*.rs", "é", "patient/Observation.rs?" + "a" * 3000, "openid profile fhirUser")  # fmt: skip
WORDS: Final = ("code", "token", "id_token", "none", "login", "consent", "query", "fragment", "form_post", "plain", "S256", "refresh_token", "client_credentials", "password", "authorization_code", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "allow", "refuse", "once", "months", "always", "public", "secret", "signing", "backend", "operator", "portal", "resident-a", "resident-b", "Patient/resident-b", f"{ISSUER}/fhir", ISSUER, REDIRECT, "Bearer", "access_token")  # fmt: skip
OTHER: Final = ("client_id", "client_secret", "scope", "state", "redirect_uri", "launch", "request", "request_uri", "response_mode", "claims", "prompt", "max_age", "code_challenge", "code_verifier", "resource", "assertion", "client_assertion", "username", "password", "token_type_hint", "csrf", "language", "next", "person", "patient", "_method", "login_hint", "ui_locales")  # fmt: skip
TYPES: Final = ("application/json", "text/plain", "multipart/form-data; boundary=x", "", ";", "application/x-www-form-urlencoded; charset=utf-16", "application/x-www-form-urlencoded;", "APPLICATION/X-WWW-FORM-URLENCODED", "é", "application/jwt")  # fmt: skip
HEADERS: Final[Mapping[str, Sequence[str]]] = {
    "authorization": ("Basic", "Basic ", "Basic !!!!", "Basic " + base64.b64encode(b"\xff\xfe:\x00").decode(), "Basic " + base64.b64encode(b"nocolon").decode(), "Basic " + base64.b64encode(b"public:" + b"x" * 9000).decode(), "Basic " + base64.b64encode(b"%ff%zz:%").decode(), "Basic " + base64.b64encode('é:"zq"'.encode()).decode(), "Bearer", "Bearer <zq>", "Bearer a b", "Digest x", "Bearer " + "x" * 9000, "\xff"),
    "cookie": ("wijkdossier=", "wijkdossier=<zq>", "wijkdossier=\xff", "wijkdossier=x; wijkdossier=y", "=", ";;;", "wijkdossier-language=<zq>", "wijkdossier-device=" + "A" * 7000, "wijkdossier-device=\x01", "wijkdossier=" + "x" * 9000, "a=b; " * 2000),
    "origin": ("https://evil.test", "null", "", "http://127.0.0.1:8080", "http://127.0.0.1:8080/", "file://", "https://app.test", "\xff", "<zq>"),
    "sec-fetch-site": ("cross-site", "same-site", "none", "<zq>"),
    "host": ("evil.test", "evil.test\\@x", "127.0.0.1:8080@evil.test", "", "x" * 300, "<zq>", "\xff", "localhost:8080", "[::1]:8080"),
    "x-forwarded-for": ("<zq>", "1.2.3.4, 5.6.7.8", "x" * 5000, "::1%eth0", "\xff"),
    "x-forwarded-host": ("evil.test",),
    "x-forwarded-proto": ("https",),
    "accept-language": ("en", "nl;q=0.1,en;q=9", "*", "en;q=nan", "<zq>", "en," * 3000, "\xff", "en;q=" + "1" * 400, "EN-gb;q=0.5;x=y"),
    "accept": ("text/html", "application/json", "image/png", "\xff"),
    "content-length": ("-1", "x", "99999999999999999999", "70000"),
    "content-encoding": ("gzip", "br", "identity", "gzip, gzip"),
    "referer": ("https://evil.test/?<zq>", "\xff"),
    "access-control-request-method": ("POST", "BREW", "\xff"),
    "if-none-match": ("*", '"x"'),
    "dpop": ("x",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """A request in bytes, and what it began as."""

    raw: Raw
    began: Form
    peer: str


class Hostility:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._made = 0

    def request(self, form: Form, cookies: Mapping[str, str], *, json_body: bool = False) -> Sent:
        """The form as this browser would send it, spoiled. Each comes from another place, so that no limit hides it."""
        r = self._random
        self._made += 1
        pairs = [(name.encode(), value.encode()) for name, value in form.pairs]
        method, path, content_type, headers = form.method, form.path.encode(), "application/x-www-form-urlencoded", {"host": HOST}  # fmt: skip
        headers.update(form.headers)
        if cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        body: bytes | None = self._document(dict(form.pairs)) if json_body else None
        if json_body:
            content_type = "application/json"
        for _ in range(r.choice((0, 1, 1, 1, 1, 2, 2, 4))):
            way = r.random()
            if way < 0.62 and not json_body:
                self._spoil(pairs)
            elif way < 0.68:
                method = r.choice(METHODS)
            elif way < 0.74:
                content_type = r.choice(TYPES)
            elif way < 0.92:
                name = r.choice(sorted(HEADERS))
                headers[name] = r.choice(HEADERS[name])
            elif way < 0.96:
                path = self._path(path)
            else:
                body = self._body()
        encoded = b"&".join(self._encoded(name) + b"=" + self._encoded(value) for name, value in pairs)
        if method in ("GET", "HEAD") and body is None:
            path += (b"&" if b"?" in path else b"?") + encoded if encoded else b""
            encoded = b""
        sent = encoded if body is None else body
        if sent or method == "POST":
            headers["content-type"] = content_type
        if headers.get("content-encoding") == "gzip" and r.random() < 0.6:
            sent = gzip.compress(sent if r.random() < 0.7 else b"x" * 9_000_000)
        raw = tuple((name.encode(), value.encode("utf-8" if r.random() < 0.2 else "latin-1", "replace")) for name, value in headers.items())  # fmt: skip
        return Sent(Raw(method, path, raw, sent), form, f"2001:db8:{self._made >> 16:x}:{self._made & 0xFFFF:x}::1")

    def text(self) -> str:
        r = self._random
        made = r.choice(r.choice((TEXTS, TEXTS, MARKED, MARKED, MARKED, ADDRESSES, SCOPES, WORDS)))
        return made * r.choice((1, 1, 1, 1, 1, 2, 70))

    def _spoil(self, pairs: list[tuple[bytes, bytes]]) -> None:
        r = self._random
        at = r.randrange(len(pairs)) if pairs else -1
        value = self._random_bytes() if r.random() < 0.06 else self.text().encode("utf-8", "surrogatepass")
        way = r.random()
        if at < 0 or way < 0.12:
            pairs.append((r.choice(OTHER).encode() if r.random() < 0.8 else value, self.text().encode("utf-8", "surrogatepass")))  # fmt: skip
        elif way < 0.6:
            pairs[at] = (pairs[at][0], value)
        elif way < 0.7:
            pairs[at] = (pairs[at][0], self._torn(pairs[at][1]))
        elif way < 0.78:
            del pairs[at]
        elif way < 0.86:
            pairs.append((pairs[at][0], r.choice((pairs[at][1], value))))
        elif way < 0.92:
            pairs[at] = (pairs[at][0], pairs[r.randrange(len(pairs))][1])
        elif way < 0.96:
            pairs[at] = (self._torn(pairs[at][0]), pairs[at][1])
        else:
            pairs += [(b"x%d" % n, b"") for n in range(r.choice((3, 300)))]

    def _torn(self, value: bytes) -> bytes:
        r = self._random
        data = bytearray(value)
        at = r.randrange(len(data) + 1)
        data[at : at + r.choice((0, 1, 5))] = r.choice((b"", b"\x00", b"\xff", b".", b"=", b"A", b" ", b"/", b"..", b"\xc3"))  # fmt: skip
        return bytes(data)

    def _random_bytes(self) -> bytes:
        return bytes(self._random.randrange(256) for _ in range(self._random.choice((1, 6, 40))))

    def _encoded(self, text: bytes) -> bytes:
        """Mostly as a browser does it; sometimes with escapes that are none, or without any."""
        way = self._random.random()
        if way < 0.03:
            return text
        if way < 0.05:
            return quote_from_bytes(text).replace("%", "%u00").encode()
        return (quote_plus if way < 0.5 else quote)(text, safe="").encode()

    def _path(self, path: bytes) -> bytes:
        r = self._random
        piece = quote(self.text().encode("utf-8", "surrogatepass"), safe="").encode()
        return r.choice((path + b"/", path + b"/" + piece, path.rpartition(b"/")[0] + b"/" + piece, path.upper(), b"/" + path, path.replace(b"/", b"//"), path + b"%00", path + b"?" + piece, path + b";x=y", path[: len(path) // 2]))  # fmt: skip

    def _body(self) -> bytes:
        r = self._random
        return r.choice((b"", b"x" * 70_000, b"a=" + b"b" * 60_000, b"[" * 30_000, b'{"a":' * 9_000, b"&" * 60_000, b"a&" * 30_000, b"=&=&=", b"{}", b"null", b'"x"', b"\xff\xfe", b"a=%", b"--x\r\n\r\n", json.dumps({"grant_type": "refresh_token"}).encode(), self._random_bytes()))  # fmt: skip

    # --- documents and signatures ------------------------------------------------------------------------------------

    def _value(self) -> Any:
        r = self._random
        return r.choice((None, True, 0, -1, 1.5, 10**30, 1e308, [], {}, [None], [[]], {"a": {"b": []}}, self.text(), [self.text()], [self.text(), 1], {"keys": []}, {"keys": [{"kty": "RSA", "n": "AA", "e": "AQAB"}]}, {"keys": [{"kty": "oct", "k": "AA"}]}, {"keys": [{"kty": "EC", "crv": "P-384", "x": "AA", "y": "!"}]}, _deep(400)))  # fmt: skip

    def _document(self, told: Mapping[str, Any]) -> bytes:
        """A JSON body, as the one of a registration."""
        r = self._random
        made: dict[str, Any] = {name: json.loads(value) for name, value in told.items()}
        for _ in range(r.choice((0, 1, 1, 2))):
            made[r.choice((*made, "jwks_uri", "jwks", "scope", "grant_types", "contacts", "client_id", "software_statement", self.text()))] = self._value()  # fmt: skip
        body = json.dumps(made, ensure_ascii=r.random() < 0.5).encode("utf-8", "surrogatepass")
        return self._torn(body) if r.random() < 0.2 else body

    def assertion(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """One that is signed, of which some part is hostile."""
        r = self._random
        parts: list[dict[str, Any]] = [dict(header), dict(claims)]
        for _ in range(r.choice((1, 1, 2))):
            part = r.choice(parts)
            name = r.choice((*part, "crit", "jku", "jwk", "x5u", "x5c", "b64", "nbf", "iat", "zip", "cty", "nonce", self.text()))  # fmt: skip
            if r.random() < 0.15:
                part.pop(name, None)
            else:
                part[name] = r.choice((self._value(), r.choice(WORDS), "none", "HS384", "RS384", "ES256", float("inf"), -(10**18), 10**18))  # fmt: skip
        text = signed(*parts)
        if r.random() < 0.15:
            text = self._torn(text.encode()).decode("latin-1")
        return text

    def choose(self, weighed: Sequence[tuple[float, Callable[[], Any]]]) -> Any:
        return self._random.choices([made for _, made in weighed], [weight for weight, _ in weighed])[0]()


def _deep(levels: int) -> Any:
    made: Any = []
    for _ in range(levels):
        made = [made]
    return made
