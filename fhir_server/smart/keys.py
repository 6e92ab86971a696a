"""The keys that id_tokens are signed with: RSA, one current, kept in the folder of the store.

https://datatracker.ietf.org/doc/html/rfc7517
"""

import os
from pathlib import Path
from typing import Final

from joserfc.jwk import KeySet, RSAKey

_BITS: Final = 2048


class SigningKeys:
    """`current` signs; `public` is what /auth/jwks shows, the current key and those before it that may still be met."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "signing"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not list(self._folder.glob("*.json")):
            self._add()

    @property
    def current(self) -> RSAKey:
        """The newest key."""
        newest = max(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return RSAKey.import_key(newest.read_bytes())

    def public(self) -> KeySet:
        return KeySet([RSAKey.import_key(path.read_bytes()) for path in sorted(self._folder.glob("*.json"))])

    def _add(self) -> None:
        key = RSAKey.generate_key(_BITS, {"use": "sig", "alg": "RS256"}, auto_kid=True)
        path = self._folder / f"{key.kid}.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key.as_json(private=True))
