"""The second step of a login: a code that an app on the phone makes of a secret and the time.

https://datatracker.ietf.org/doc/html/rfc6238
"""

import hmac
import os
from base64 import b64decode, b64encode
from typing import Final

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ISSUER: Final = "wijkdossier"
STEP_SECONDS: Final = 30
# RFC 6238, section 5.2: one step for a clock that is off and a person who types.
_STEPS_BESIDE: Final = 1
_NONCE_BYTES: Final = 12


class SecondFactor:
    """`key` seals the secrets: they stand in the store of no use to who reads it alone."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def new(self, account: str) -> str:
        """A new secret for the account (its id), sealed."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, pyotp.random_base32().encode(), account.encode())
        return b64encode(sealed).decode()

    def secret(self, sealed: str, account: str) -> str:
        """The secret, in base32, as an app wants it typed. Raises ValueError if it was sealed for another account."""
        data = b64decode(sealed)
        try:
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], account.encode()).decode()
        except InvalidTag:
            raise ValueError("the secret was sealed with another key") from None

    def uri(self, sealed: str, account: str, username: str) -> str:
        """What the QR code says. https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
        return pyotp.TOTP(self.secret(sealed, account)).provisioning_uri(name=username, issuer_name=ISSUER)

    def accepted(self, sealed: str, account: str, code: str, now: int, after: int) -> int | None:
        """The time step that the code is of, None if it is wrong or not of a step later than `after`.

        Keep the step: RFC 6238, section 5.2: a code is accepted once. `now` is in microseconds since 1970 UTC.
        """
        try:
            totp = pyotp.TOTP(self.secret(sealed, account))
        except ValueError:  # a store that came without its keys
            return None
        current = now // 1_000_000 // STEP_SECONDS
        typed = "".join(code.split()).encode()
        found = None
        for step in range(current - _STEPS_BESIDE, current + _STEPS_BESIDE + 1):
            if hmac.compare_digest(totp.generate_otp(step).encode(), typed) and step > after:
                found = step
        return found
