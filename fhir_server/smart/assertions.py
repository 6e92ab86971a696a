"""Whether an assertion shows that a client is who it says: a JWT, signed by it, for this server, good for once.

https://datatracker.ietf.org/doc/html/rfc7523#section-3,
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#authenticating-to-the-token-endpoint
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from fhir_server.smart.keysets import ALGORITHMS, KeyFault, select
from profiles import json

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AHEAD_SECONDS_MAX: Final = 300
# How far a client's clock may be ahead of ours when it says since when its assertion holds.
SKEW_SECONDS: Final = 60
CHARACTERS_MAX: Final = 16 * 1024

_SECOND: Final = 1_000_000
_DEPTH_MAX: Final = 8
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_TYPES: Final = ("jwt", "client-authentication+jwt")
_REGISTRY: Final = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)


class Refused(Exception):
    """Why an assertion is not believed, in words that repeat nothing of it."""


@dataclass(frozen=True, slots=True)
class Presented:
    """An assertion as it came. Nothing in it is believed yet; `jku` '' means there is none."""

    text: str
    client: str
    algorithm: str
    kid: str
    jku: str
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Believed:
    """What is to be remembered of an assertion that holds; `expires` in microseconds since 1970 UTC."""

    jti: str
    expires: int


def read(text: str) -> Presented:
    """The parts of an assertion, enough to find the client and its key. Raises Refused."""
    match = _COMPACT.fullmatch(text) if len(text) <= CHARACTERS_MAX else None
    if match is None:
        raise Refused("assertion is a signed JWT in compact form")
    header, claims = (_object(part) for part in match.groups())
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Refused(f"alg is {' or '.join(ALGORITHMS)}")
    if "crit" in header:
        raise Refused("crit names something that is not understood here")  # RFC 7515, section 4.1.11
    if str(header.get("typ", "JWT")).lower() not in _TYPES:
        raise Refused("typ is JWT")
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer:
        raise Refused("iss is missing")
    if claims.get("sub") != issuer:
        raise Refused("iss and sub are the client id, both")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise Refused("kid is missing")
    jku = header.get("jku", "")
    if not isinstance(jku, str):
        raise Refused("jku is a URL")
    return Presented(text, issuer, algorithm, kid, jku, claims)


def verify(presented: Presented, keys: Sequence[Mapping[str, Any]], audience: str, now: int) -> Believed:
    """What the assertion amounts to if one of the client's `keys` signed it for `audience`. Raises Refused.

    `now` is in microseconds since 1970 UTC. That its jti was not used before is for the caller to see to.
    """
    try:
        key = select(keys, presented.kid, presented.algorithm)
        jws.deserialize_compact(presented.text, key, registry=_REGISTRY)
    except KeyFault as fault:
        raise Refused(str(fault)) from None
    except (JoseError, ValueError):
        raise Refused("signature does not verify") from None
    claims = presented.claims
    if _audience(claims.get("aud")) != audience:
        raise Refused("aud is this server as the client was registered to name it, and nothing else")
    expires = _moment(claims, "exp")
    if expires is None:
        raise Refused("exp is missing")
    if expires <= now:
        raise Refused("exp has passed")
    if expires > now + AHEAD_SECONDS_MAX * _SECOND:
        raise Refused(f"exp is more than {AHEAD_SECONDS_MAX} seconds ahead")
    for name in ("nbf", "iat"):
        since = _moment(claims, name)
        if since is not None and since > min(now + SKEW_SECONDS * _SECOND, expires):
            raise Refused(f"{name} lies ahead")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise Refused("jti is missing")
    return Believed(jti, expires)


def _object(part: str) -> dict[str, Any]:
    try:
        return json.parse(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), depth_max=_DEPTH_MAX)
    except ValueError:
        raise Refused("assertion is a JWT: base64url of JSON objects") from None


def _audience(claim: Any) -> str | None:
    """The one value; None if there is none, or several: an assertion for us is for nobody else."""
    only = claim[0] if isinstance(claim, list) and len(claim) == 1 else claim
    return only if isinstance(only, str) else None


def _moment(claims: Mapping[str, Any], name: str) -> int | None:
    """A NumericDate (RFC 7519, section 2) in microseconds; None if it is not there."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refused(f"{name} is a number of seconds")
    return int(value * _SECOND)
