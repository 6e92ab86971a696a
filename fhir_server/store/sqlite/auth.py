"""Access tokens by the SHA-256 of their text.

https://datatracker.ietf.org/doc/html/rfc6750
"""

import msgspec

from fhir_server.store.protocol import AccessToken

PUT = "INSERT OR REPLACE INTO access_token (digest, expires, token) VALUES (?, ?, ?)"
GET = "SELECT token FROM access_token WHERE digest = ?"
REVOKE = "DELETE FROM access_token WHERE digest = ?"
# Whoever asks about an expired token gets the same answer as for one that never was, so it need not be kept.
FORGET_EXPIRED = "DELETE FROM access_token WHERE expires < ?"

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(AccessToken).decode
