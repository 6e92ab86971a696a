"""Access tokens by the SHA-256 of their text.

https://datatracker.ietf.org/doc/html/rfc6750
"""

import msgspec

from fhir_server.store.protocol import AccessToken
from fhir_server.store.sqlite.pool import Pool

PUT = "INSERT OR REPLACE INTO access_token (digest, expires, token) VALUES (?, ?, ?)"
GET = "SELECT token FROM access_token WHERE digest = ?"
REVOKE = "DELETE FROM access_token WHERE digest = ?"
# Whoever asks about an expired token gets the same answer as for one that never was, so it need not be kept.
FORGET_EXPIRED = "DELETE FROM access_token WHERE expires < ?"

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(AccessToken).decode

# Tokens in use at one time by one worker; beyond that they are looked up anew.
KNOWN_MAX = 4096


class Tokens:
    """Reads tokens, each once an epoch: a token that is revoked, by whichever process, is gone with the next read."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._epoch = -1
        self._known: dict[bytes, AccessToken] = {}

    def get(self, digest: bytes) -> AccessToken | None:
        connection = self._pool.take()
        try:
            epoch = self._pool.epoch(connection)
            if epoch != self._epoch or len(self._known) > KNOWN_MAX:
                self._epoch = epoch
                self._known.clear()
            known = self._known.get(digest)
            if known is not None:
                return known
            row = connection.execute(GET, (digest,)).fetchone()
            if row is None:
                return None
            token = self._known[digest] = decode(row[0])
            return token
        finally:
            self._pool.give_back(connection, self._pool.turn)
