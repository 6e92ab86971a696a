"""Assertions and key sets as somebody else makes them: keys and signatures are jwcrypto's, none is ours."""

import json
from functools import cache
from typing import Any

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

Json = dict[str, Any]

TOKEN_URL = "http://127.0.0.1:8080/auth/token"
ISSUER = "http://127.0.0.1:8080"


@cache
def rsa(kid: str = "rsa-1", size: int = 2048) -> JWK:
    return JWK.generate(kty="RSA", size=size, kid=kid)


@cache
def ec(kid: str = "ec-1", crv: str = "P-384") -> JWK:
    return JWK.generate(kty="EC", crv=crv, kid=kid)


def public(key: JWK, **more: Any) -> Json:
    """The key as it is published; what is None in `more` is left out."""
    members = {**key.export_public(as_dict=True), **more}
    return {name: value for name, value in members.items() if value is not None}


def key_set(*keys: JWK | Json) -> Json:
    return {"keys": [public(key) if isinstance(key, JWK) else key for key in keys]}


def claims(client: str = "backend", now: int = 0, **more: Any) -> Json:
    """Those of an assertion that holds; `now` in microseconds as the server counts; what is None is left out."""
    seconds = now // 1_000_000
    made = {
        "iss": client,
        "sub": client,
        "aud": TOKEN_URL,
        "exp": seconds + 240,
        "jti": f"jti-{next(_NUMBERS)}",
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


def signed(payload: Json | str, key: JWK | None = None, alg: str = "", **header: Any) -> str:
    """The assertion; `header` adds to alg, kid and typ, or takes away what is None."""
    chosen = key or ec()
    algorithm = alg or {"RSA": "RS384", "EC": "ES384"}[chosen.export_public(as_dict=True)["kty"]]
    members = {"alg": algorithm, "kid": chosen["kid"], "typ": "JWT", **header}
    jws = JWS(payload if isinstance(payload, str) else json.dumps(payload))
    jws.allowed_algs = [algorithm]
    jws.add_signature(
        chosen, protected=json.dumps({name: value for name, value in members.items() if value is not None})
    )
    text: str = jws.serialize(compact=True)
    return text


_NUMBERS = iter(range(10**9))
