"""Page cursors: sealed so that only the requester they were made for can use them, and nobody can read them.

A cursor carries the parameters of the search itself, because the next link of a search by POST must not show what was
in the body. https://hl7.org/fhir/R4/http.html#paging
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fhir_server.outcome import Category, FhirError

KEY_BYTES = 32
_NONCE_BYTES = 12


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """What a next link stands for: `path` is what is paged through, `position` the store's own cursor."""

    path: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    position: bytes


_DECODER = msgspec.msgpack.Decoder(Cursor)


class Sealer:
    """Seals and opens cursors with AES-GCM; the requester's binding is authenticated along with the content."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a cursor key has {KEY_BYTES} bytes")
        self._cipher = AESGCM(key)

    def seal(self, cursor: Cursor, binding: bytes) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(cursor), binding)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, token: str, binding: bytes) -> Cursor:
        """Raises FhirError, in the same words whether the token is damaged, foreign, or somebody else's."""
        try:
            sealed = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
            content = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], binding)
            return _DECODER.decode(content)
        except (ValueError, InvalidTag, msgspec.MsgspecError):
            raise unknown_cursor() from None


def unknown_cursor() -> FhirError:
    return FhirError(Category.VALUE, "the page cursor is not one that this server gave to this requester")
