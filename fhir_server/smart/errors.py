"""The one error of the protocol endpoints: a code of its RFC, a sentence about it, an HTTP status.

https://datatracker.ietf.org/doc/html/rfc6749#section-5.2
"""

from collections.abc import Mapping
from typing import Final

# RFC 6749, section 5.2: error_description holds printable ASCII without `"` and `\`.
_OUTSIDE: Final = dict.fromkeys((*range(0x20), 0x22, 0x5C, 0x7F), "?")

_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="wijkdossier", charset="UTF-8"'}


class OAuthError(Exception):
    """`error` is a code of RFC 6749, 6750, 7009, 7591 or OpenID Connect; `description` says what is wrong.

    It never holds what was sent: neither a secret nor anything that a page or a log would have to fear.
    """

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description.encode("ascii", "replace").decode().translate(_OUTSIDE)
        self.status = status
        self.headers: Mapping[str, str] = headers or {}

    def json(self) -> dict[str, str]:
        """The body of the answer."""
        return {"error": self.error, "error_description": self.description}


def invalid_request(description: str) -> OAuthError:
    """A parameter is missing, malformed or repeated."""
    return OAuthError("invalid_request", description)


def invalid_client(description: str, *, challenge: bool = True) -> OAuthError:
    """Who asks is not known, or did not show to be who they say."""
    # RFC 6749, section 5.2: whoever tried the Authorization header gets the scheme back in WWW-Authenticate.
    return OAuthError("invalid_client", description, status=401, headers=_CHALLENGE if challenge else None)


def invalid_grant(description: str) -> OAuthError:
    """The code or refresh token is not (or no longer) good, or was given to somebody else."""
    return OAuthError("invalid_grant", description)


def unauthorized_client(description: str) -> OAuthError:
    """The client was not registered for this."""
    return OAuthError("unauthorized_client", description)


def unsupported_grant_type() -> OAuthError:
    return OAuthError("unsupported_grant_type", "grant_type is authorization_code, refresh_token or client_credentials")


def invalid_scope(description: str) -> OAuthError:
    """What was asked for is unknown, nothing, or more than was granted."""
    return OAuthError("invalid_scope", description)
