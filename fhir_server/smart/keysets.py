"""The public keys of a client, and which of them a signature was made with.

https://datatracker.ietf.org/doc/html/rfc7517, https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from profiles import json

# SMART has servers support both, and leaves any other to agreement; there is none here.
ALGORITHMS: Final[Mapping[str, str]] = {"RS384": "RSA", "ES384": "EC"}
KEYS_MAX: Final = 50
BYTES_MAX: Final = 64 * 1024
_RSA_BITS: Final = range(2048, 8192 + 1)
# RFC 7518, section 3.4: ES384 is P-384.
_CURVE: Final = "P-384"
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class _PublicKey:
    """A key that can be told by its `kid` and fits one of ALGORITHMS."""

    kid: str
    algorithm: str
    key: RSAKey | ECKey


class KeyFault(Exception):
    """Why a set, or the key that is looked for in it, can't be used."""


def read(text: bytes) -> list[Mapping[str, Any]]:
    """The members of a JWK Set as they were published. Raises KeyFault if it is none."""
    if len(text) > BYTES_MAX:
        raise KeyFault(f"a key set is at most {BYTES_MAX} bytes")
    try:
        found = json.parse(text).get("keys")
    except json.JsonError:
        raise KeyFault("a key set is a JSON object") from None
    if not isinstance(found, list) or not all(isinstance(key, dict) for key in found):
        raise KeyFault("a key set has an array `keys` of objects")
    if len(found) > KEYS_MAX:
        raise KeyFault(f"a key set has at most {KEYS_MAX} keys")
    return found


def select(keys: Sequence[Mapping[str, Any]], kid: str, algorithm: str) -> RSAKey | ECKey:
    """The one key with this `kid`, if it fits the algorithm (one of ALGORITHMS). Raises KeyFault."""
    found = [key for key in keys if key.get("kid") == kid]
    if not found:
        raise KeyFault("kid is that of no key of this client")
    if len(found) > 1:
        raise KeyFault("kid is that of several keys of this client")
    key = _import(found[0])
    if key.algorithm != algorithm:
        raise KeyFault("alg does not go with the kty of the key")
    return key.key


def check_registered(text: str) -> None:
    """Raises ValueError unless every key of the set is public, usable here, and told from the others by its kid."""
    try:
        keys = [_import(key) for key in read(text.encode())]
    except KeyFault as fault:
        raise ValueError(f"jwks: {fault}") from None
    if not keys:
        raise ValueError("jwks: a key set has a key")
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError("jwks: a kid is that of one key")


def _import(data: Mapping[str, Any]) -> _PublicKey:
    kid = data.get("kid")
    if not isinstance(kid, str) or not kid:
        raise KeyFault("a key has a kid")
    if not _PRIVATE.isdisjoint(data):
        raise KeyFault("a key has its public members only")
    if data.get("use", "sig") != "sig" or "verify" not in _operations(data):
        raise KeyFault("a key is for signatures")
    kty = data.get("kty")
    algorithm = next((name for name, type in ALGORITHMS.items() if type == kty), "")
    if not algorithm:
        raise KeyFault("a key has kty RSA or EC")
    if data.get("alg", algorithm) != algorithm:
        raise KeyFault(f"a key with kty {kty} is for {algorithm}")
    if kty == "EC" and data.get("crv") != _CURVE:
        raise KeyFault(f"a key with kty EC has crv {_CURVE}")
    return _PublicKey(kid, algorithm, _material(data))


def _operations(data: Mapping[str, Any]) -> list[Any]:
    found = data.get("key_ops", ["verify"])
    return found if isinstance(found, list) else []


def _material(data: Mapping[str, Any]) -> RSAKey | ECKey:
    names = ("kty", "n", "e") if data["kty"] == "RSA" else ("kty", "crv", "x", "y")
    if not all(isinstance(data.get(name), str) for name in names):
        raise KeyFault("a key has all of its members")
    members = {name: data[name] for name in names}
    try:
        if data["kty"] == "EC":
            return ECKey.import_key(members)
        key = RSAKey.import_key(members)
        bits = key.public_key.key_size
    except (JoseError, ValueError, TypeError):
        raise KeyFault("a key has members that make a key") from None
    if bits not in _RSA_BITS:
        raise KeyFault(f"a key with kty RSA has {_RSA_BITS.start} to {_RSA_BITS.stop - 1} bits")
    return key
