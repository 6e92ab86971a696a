"""Proof Key for Code Exchange: who redeems a code is who asked for it. S256 only.

https://datatracker.ietf.org/doc/html/rfc7636
"""

import hmac
import re
from typing import Final

from authlib.oauth2.rfc7636 import create_s256_code_challenge

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)  # section 4.1
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # 32 bytes in base64url, section 4.2


def is_challenge(text: str) -> bool:
    """Whether this can be the SHA-256 of a verifier."""
    return _CHALLENGE.fullmatch(text) is not None


def verifies(verifier: str, challenge: str) -> bool:
    """Whether the verifier is one, and the challenge was made from it (section 4.6)."""
    if not _VERIFIER.fullmatch(verifier) or not is_challenge(challenge):
        return False
    return hmac.compare_digest(create_s256_code_challenge(verifier), challenge)
