"""A small OpenID Provider on this machine: it knows one person at a time, and can be told to lie.

https://openid.net/specs/openid-connect-core-1_0.html
"""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

CLIENT = "wijkdossier"
SECRET = "geheim: van + twee kanten"


@dataclass
class OpenIdProvider:
    """`claims`, `header`, `metadata` and `answer` are laid over what it would honestly say; None takes one away."""

    port: int = 0
    subject: str = "s-1"
    acr: str = ""
    algorithm: str = "RS256"
    secret: str = SECRET
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    clock: Callable[[], float] = time
    asked: list[str] = field(default_factory=list)  # the paths of all requests
    authorized: dict[str, str] = field(default_factory=dict)  # the parameters of the last /authorize
    token_forms: list[dict[str, str]] = field(default_factory=list)
    keys: dict[str, RSAKey | ECKey] = field(default_factory=dict)
    shown: list[dict[str, Any]] | None = None  # the key set, if it is not that of `keys`
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = dict(_keys())

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configuration(self) -> dict[str, Any]:
        return laid_over(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            },
            self.metadata,
        )

    def jwks(self) -> dict[str, Any]:
        return {
            "keys": [key.as_dict(private=False) for key in self.keys.values()] if self.shown is None else self.shown
        }

    def authorize(self, parameters: dict[str, str]) -> str:
        """Where to send the browser that came: somebody who is asked nothing, and always says yes."""
        self.authorized = parameters
        code = f"code-{len(self.codes) + 1}"
        self.codes[code] = parameters
        answer = laid_over({"code": code, "state": parameters["state"]}, self.answer)
        return f"{parameters['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """RFC 6749, section 4.1.3, RFC 7636, section 4.6."""
        self.token_forms.append(form)
        if self.secret and not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        )
        if challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return self.status, {"access_token": "a", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        now = int(self.clock())
        claims = laid_over(
            {
                "iss": self.issuer,
                "sub": self.subject,
                "aud": CLIENT,
                "iat": now,
                "exp": now + 300,
                "nonce": nonce,
                **({"acr": self.acr} if self.acr else {}),
            },
            self.claims,
        )
        kid = "rsa-1" if self.algorithm.startswith("RS") else "ec-1"
        header = laid_over({"alg": self.algorithm, "kid": kid}, self.header)
        registry = JWSRegistry(algorithms=["RS256", "RS384", "ES256"])
        return jwt.encode(header, claims, self.keys[kid], registry=registry)

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if "client_secret" in form:
            return form["client_id"] == CLIENT and form["client_secret"] == self.secret
        kind, _, credentials = authorization.partition(" ")
        name, _, secret = base64.b64decode(credentials).decode().partition(":")
        return kind == "Basic" and (unquote_plus(name), unquote_plus(secret)) == (CLIENT, self.secret)


@cache
def _keys() -> dict[str, RSAKey | ECKey]:
    """Made once in a run: they take long."""
    return {
        "rsa-1": RSAKey.generate_key(2048, {"kid": "rsa-1"}),
        "ec-1": ECKey.generate_key("P-256", {"kid": "ec-1"}),
    }


def laid_over(honest: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**honest, **told}.items() if value is not None}


@contextmanager
def provider(**told: Any) -> Iterator[OpenIdProvider]:
    """A provider that answers on a free port of 127.0.0.1 until the end of the block."""
    one = OpenIdProvider(**told)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            one.asked.append(path)
            match path:
                case "/.well-known/openid-configuration":
                    self._say(200, one.configuration())
                case "/jwks":
                    self._say(200, one.jwks())
                case "/authorize":
                    parameters = {name: values[0] for name, values in parse_qs(query).items()}
                    self.send_response(302)
                    self.send_header("Location", one.authorize(parameters))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                case _:
                    self._say(404, {})

        def do_POST(self) -> None:
            one.asked.append(urlsplit(self.path).path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*one.token(form, self.headers.get("authorization", "")))

        def _say(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
