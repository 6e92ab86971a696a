"""id_token: who let the app in, signed, so that the app can believe it.

https://openid.net/specs/openid-connect-core-1_0.html#IDToken,
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

import hmac
from pathlib import Path
from typing import Any

from joserfc import jwt

from fhir_server.keys import key
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.keys import ALGORITHM, ID_TOKEN_SECONDS
from fhir_server.smart.records import Grant
from fhir_server.smart.server import AuthorizationServer


def id_token(server: AuthorizationServer, addresses: Addresses, grant: Grant, client_id: str, now: int) -> str:
    """The signed token for an app whose grant has the scope `openid`; `now` is microseconds since 1970 UTC.

    `fhirUser`, and `profile` as SMART 1 called it, are there if the scope of that name was granted.
    """
    issued = now // 1_000_000
    claims: dict[str, Any] = {
        "iss": addresses.issuer,
        "sub": subject(server.settings.data, grant.account),
        "aud": client_id,
        "iat": issued,
        "exp": issued + ID_TOKEN_SECONDS,
    }
    if grant.since:
        claims["auth_time"] = grant.since // 1_000_000
    if grant.nonce:
        claims["nonce"] = grant.nonce
    if grant.acr:
        claims["acr"] = grant.acr
    for claim in {"fhirUser", "profile"}.intersection(grant.scope.split()):
        claims[claim] = f"{addresses.base}/{grant.person}"
    signing = server.keys.current
    return jwt.encode({"alg": ALGORITHM, "kid": signing.kid}, claims, signing.key)


def subject(folder: Path, account: str) -> str:
    """What apps know a person by: the same at every login, and telling nothing, not even the id of the account.

    64 hexadecimal digits, made with a key of the store in `folder`.
    """
    return hmac.new(key(folder, "subject"), account.encode(), "sha256").hexdigest()
