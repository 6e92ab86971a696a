"""The keys that id_tokens are signed with: RSA, the newest signs, older ones are shown while a token may name them.

A key is a file of its own in the folder `signing` of the store: `0001.pem`, `0002.pem` …, PKCS#8, encrypted if there is
a passphrase. The time of a file is when its key began to sign.
https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys, https://datatracker.ietf.org/doc/html/rfc7517
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from joserfc.jwk import RSAKey

from fhir_server import keys

ALGORITHM: Final = "RS256"
ID_TOKEN_SECONDS: Final = 3600
# How long after a rotation an id_token of the key before may be met: its life, and room for clocks that differ.
MET_SECONDS: Final = ID_TOKEN_SECONDS + 300
_BITS: Final = 2048
_NAME: Final = re.compile(r"[0-9]{4,9}\.pem")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`key` has the `kid` (its RFC 7638 thumbprint) with it. It signs from `since` until `until`, 0: it signs now.

    Both are microseconds since 1970 UTC.
    """

    path: Path
    key: RSAKey
    kid: str
    since: int
    until: int

    def met(self, now: int) -> bool:
        """Whether a token that it signed may still be valid somewhere."""
        return not self.until or now < self.until + MET_SECONDS * 1_000_000


class SigningKeys:
    """The keys in `folder/signing`; the first is made here if there is none, by one of the workers that start.

    Whatever is asked, the names in the folder are looked at, so that a rotation counts in every worker at once. Making
    it and asking it raise ValueError if a key can't be read: the passphrase is missing, or is another one.
    """

    def __init__(self, folder: Path, passphrase: str = "") -> None:
        self._folder = folder / "signing"
        self._passphrase = passphrase.encode()
        self._names: list[str] = []
        self._keys: tuple[SigningKey, ...] = ()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not self._listed():
            keys.place(self._folder / "0001.pem", self._new())
        self.all()

    @property
    def current(self) -> SigningKey:
        """The one that signs."""
        return self.all()[-1]

    def all(self) -> tuple[SigningKey, ...]:
        """Those that sign or signed and were not thrown away yet, the oldest first."""
        names = self._listed()
        while names != self._names:
            try:
                self._keys = self._loaded([self._folder / name for name in names])
                self._names = names
            except FileNotFoundError:  # thrown away by a rotation that happens right now
                names = self._listed()
        if not self._keys:
            raise ValueError("the folder `signing` holds no key any more; a restart makes one")
        return self._keys

    def public(self, now: int) -> dict[str, Any]:
        """The JWK Set that others check signatures with at `now` (microseconds): public halves only."""
        return {"keys": [one.key.as_dict(private=False) for one in self.all() if one.met(now)]}

    def rotate(self, now: int) -> SigningKey:
        """A new key that signs from `now` (microseconds) on; those that can't be met any more are thrown away.

        Raises ValueError if somebody else rotates at the same moment.
        """
        last = self.current.path
        path = last.with_name(f"{int(last.stem) + 1:04}.pem")
        if not keys.place(path, self._new()):
            raise ValueError("the keys were rotated by somebody else just now")
        os.utime(path, ns=(now * 1000, now * 1000))
        for one in self.all():
            if not one.met(now):
                one.path.unlink(missing_ok=True)
        return self.current

    def _listed(self) -> list[str]:
        names = [name for name in os.listdir(self._folder) if _NAME.fullmatch(name)]
        return sorted(names, key=lambda name: int(name.removesuffix(".pem")))

    def _loaded(self, paths: list[Path]) -> tuple[SigningKey, ...]:
        since = [path.stat().st_mtime_ns // 1000 for path in paths]
        loaded = []
        for path, began, ended in zip(paths, since, [*since[1:], 0]):
            key = RSAKey.import_key(self._private(path), {"use": "sig", "alg": ALGORITHM})
            key.ensure_kid()
            loaded.append(SigningKey(path, key, key.thumbprint(), began, ended))
        return tuple(loaded)

    def _private(self, path: Path) -> RSAPrivateKey:
        pem = path.read_bytes()
        # Asked of the text itself: the library tells a wrong passphrase from a broken file by words only.
        encrypted = b"BEGIN ENCRYPTED PRIVATE KEY" in pem
        if encrypted and not self._passphrase:
            raise ValueError(f"the signing key `{path.name}` is encrypted and key_passphrase is not set")
        try:
            key = serialization.load_pem_private_key(pem, self._passphrase if encrypted else None)
        except ValueError:
            why = "key_passphrase is not the one it was encrypted with" if encrypted else "it is not PKCS#8"
            raise ValueError(f"the signing key `{path.name}` can't be read: {why}") from None
        if not isinstance(key, RSAPrivateKey):
            raise ValueError(f"the signing key `{path.name}` is not an RSA key")
        if self._passphrase and not encrypted:  # a key from before there was a passphrase
            made = path.stat().st_mtime_ns
            keys.replace(path, self._pem(key))
            os.utime(path, ns=(made, made))
        return key

    def _new(self) -> bytes:
        return self._pem(generate_private_key(65537, _BITS))

    def _pem(self, key: RSAPrivateKey) -> bytes:
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if self._passphrase:
            encryption = serialization.BestAvailableEncryption(self._passphrase)
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
