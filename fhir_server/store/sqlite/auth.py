"""Access tokens by the SHA-256 of their text, and the records of whoever lets people and apps in.

https://datatracker.ietf.org/doc/html/rfc6750
"""

from typing import Final

import msgspec

from fhir_server.store.auth import AccessToken, AuthRecord
from fhir_server.store.sqlite.pool import Pool

PUT: Final = "INSERT OR REPLACE INTO access_token (digest, expires, token, grant_id) VALUES (?, ?, ?, ?)"
GET: Final = "SELECT token FROM access_token WHERE digest = ?"
REVOKE: Final = "DELETE FROM access_token WHERE digest = ?"
REVOKE_GRANT: Final = "DELETE FROM access_token WHERE grant_id = ?"
# Whoever asks about an expired token gets the same answer as for one that never was, so it need not be kept.
FORGET_EXPIRED: Final = "DELETE FROM access_token WHERE expires < ?"

_FIELDS: Final = "kind, key, revision, subject, expires, body"
RECORD: Final = f"SELECT {_FIELDS} FROM auth_record WHERE kind = ? AND key = ?"  # noqa: S608
RECORDS: Final = f"SELECT {_FIELDS} FROM auth_record WHERE kind = ? ORDER BY key"  # noqa: S608
RECORDS_OF: Final = f"SELECT {_FIELDS} FROM auth_record WHERE kind = ? AND subject = ? ORDER BY key"  # noqa: S608
REVISION: Final = "SELECT revision FROM auth_record WHERE kind = ? AND key = ?"
PUT_RECORD: Final = f"INSERT OR REPLACE INTO auth_record ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
FORGET_RECORD: Final = "DELETE FROM auth_record WHERE kind = ? AND key = ?"
FORGET_EXPIRED_RECORDS: Final = "DELETE FROM auth_record WHERE expires BETWEEN 1 AND ?"

DDL: Final = """
ALTER TABLE access_token ADD COLUMN grant_id TEXT NOT NULL DEFAULT '';
CREATE INDEX access_token_by_grant ON access_token (grant_id) WHERE grant_id <> '';
CREATE TABLE auth_record (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    subject TEXT NOT NULL,
    expires INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX auth_record_by_subject ON auth_record (kind, subject);
CREATE INDEX auth_record_by_expiry ON auth_record (expires) WHERE expires > 0;
"""

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(AccessToken).decode

# Tokens in use at one time by one worker; beyond that they are looked up anew.
KNOWN_MAX = 4096


def record(pool: Pool, kind: str, key: str) -> AuthRecord | None:
    """See AuthStore.record."""
    return next((AuthRecord(*row) for row in pool.rows(RECORD, (kind, key))), None)


def records(pool: Pool, kind: str, subject: str | None) -> tuple[AuthRecord, ...]:
    """See AuthStore.records."""
    rows = pool.rows(RECORDS, (kind,)) if subject is None else pool.rows(RECORDS_OF, (kind, subject))
    return tuple([AuthRecord(*row) for row in rows])


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
