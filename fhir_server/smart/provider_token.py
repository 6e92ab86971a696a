"""The id_token of an OpenID Provider: whether it is for this server, of this login, and signed by the provider.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

import hmac
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from profiles import json

# alg → kty, crv. RS256 is what every provider signs with (Discovery, section 3), ES256 what many choose.
ALGORITHMS: Final[Mapping[str, tuple[str, str]]] = {"RS256": ("RSA", ""), "ES256": ("EC", "P-256")}
SKEW_SECONDS: Final = 60
# An id_token is made when it is asked for: one that is older was made for something else.
AGE_SECONDS_MAX: Final = 600
CHARACTERS_MAX: Final = 32 * 1024
SUBJECT_CHARACTERS_MAX: Final = 255  # OpenID Connect Core, section 2

_RSA_BITS_MIN: Final = 2048
_DEPTH_MAX: Final = 16
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_REGISTRY: Final = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)


class Disbelieved(Exception):
    """Why an id_token is not believed, in words that repeat nothing of it."""


@dataclass(frozen=True, slots=True)
class Presented:
    """An id_token as it came; nothing in it is believed yet."""

    text: str
    algorithm: str
    kid: str
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Identified:
    """Who logged in at the provider, how well they showed it ('': not said), and when (seconds, 0: not said)."""

    subject: str
    acr: str
    since: int


def read(text: str) -> Presented:
    """Its parts, enough to find the key. Raises Disbelieved."""
    match = _COMPACT.fullmatch(text) if len(text) <= CHARACTERS_MAX else None
    if match is None:
        raise Disbelieved("it is not a signed JWT")
    header, claims = (_object(part) for part in match.groups())
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Disbelieved(f"alg is not {' or '.join(ALGORITHMS)}")
    if not isinstance(kid, str) or not kid:
        raise Disbelieved("kid is missing")
    if "crit" in header:
        raise Disbelieved("crit names something that is not understood here")
    return Presented(text, algorithm, kid, claims)


def verify(
    presented: Presented, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, nonce: str, now: int
) -> Identified:
    """Who it is about, if one of the provider's `keys` signed it for this login. Raises Disbelieved.

    `now` is in seconds since 1970 UTC. The clauses are those of OpenID Connect Core, section 3.1.3.7.
    """
    try:
        jws.deserialize_compact(presented.text, _key(keys, presented), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        raise Disbelieved("the signature does not verify") from None
    claims = presented.claims
    if claims.get("iss") != issuer:  # 2
        raise Disbelieved("iss is another")
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != client_id:  # 4
        raise Disbelieved("aud names others and azp is not this server")
    if client_id not in (audience if isinstance(audience, list) else [audience]):  # 3
        raise Disbelieved("aud is not this server")
    if claims.get("azp", client_id) != client_id:  # 5
        raise Disbelieved("azp is not this server")
    if _seconds(claims, "exp") <= now - SKEW_SECONDS:  # 9
        raise Disbelieved("exp has passed")
    if not now - AGE_SECONDS_MAX <= _seconds(claims, "iat") <= now + SKEW_SECONDS:  # 10
        raise Disbelieved("iat is not of this moment")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):  # 11
        raise Disbelieved("nonce is another")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARACTERS_MAX:
        raise Disbelieved("sub is missing")
    acr = claims.get("acr", "")
    since = min(now, _seconds(claims, "auth_time")) if "auth_time" in claims else 0
    return Identified(subject, acr if isinstance(acr, str) else "", since)


def _key(keys: Sequence[Mapping[str, Any]], presented: Presented) -> RSAKey | ECKey:
    """The one key with the kid, if it is for the algorithm. Raises Disbelieved, JoseError, ValueError."""
    found = [key for key in keys if key.get("kid") == presented.kid]
    if len(found) != 1:
        raise Disbelieved("kid is not that of one key of the provider")
    kty, crv = ALGORITHMS[presented.algorithm]
    key = found[0]
    if key.get("kty") != kty or key.get("crv", "") != crv or key.get("use", "sig") != "sig":
        raise Disbelieved("alg does not go with the key")
    if key.get("alg", presented.algorithm) != presented.algorithm:
        raise Disbelieved("alg does not go with the key")
    if kty == "EC":
        return ECKey.import_key({name: key[name] for name in ("kty", "crv", "x", "y") if name in key})
    imported = RSAKey.import_key({name: key[name] for name in ("kty", "n", "e") if name in key})
    if imported.public_key.key_size < _RSA_BITS_MIN:
        raise Disbelieved(f"the key has fewer than {_RSA_BITS_MIN} bits")
    return imported


def _object(part: str) -> dict[str, Any]:
    try:
        return json.parse(urlsafe_b64decode(part + "=" * (-len(part) % 4)), depth_max=_DEPTH_MAX)
    except ValueError:
        raise Disbelieved("it is not base64url of JSON objects") from None


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Disbelieved(f"{name} is not a number of seconds")
    return int(value)
