"""Passwords as argon2id hashes, worked out in threads of their own, a few at a time.

https://datatracker.ietf.org/doc/html/rfc9106, https://datatracker.ietf.org/doc/html/rfc8265#section-4
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 256
# A hash takes 32 MiB while it is made: two at a time in a worker, and no more in line than are done in a few seconds.
AT_ONCE: Final = 2
WAITING_MAX: Final = 40

_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)

# Of a password that nobody knows, with the parameters above: whoever asks for a name that is not there waits as long.
_NOBODY: Final = "$argon2id$v=19$m=32768,t=3,p=1$pNiZg7SztSeLFf+uggOU2w$EDGE7OALcAd8MZf8m7LlfHOlrcsxk8PHA64qzE3awsw"

_T = TypeVar("_T")


class Busy(Exception):
    """More people log in at this moment than there is memory for."""


class WeakPassword(ValueError):
    """`rule` is `short`, `long` or `name`."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"the password has {LENGTH_MIN} to {LENGTH_MAX} characters and is not the username")
        self.rule = rule


class Passwords:
    """One per process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """What is kept of the password. Raises Busy."""
        return await self._in_turn(lambda: _HASHER.hash(prepared(password)))

    async def verify(self, kept: str, password: str) -> bool:
        """Whether it is the password that was kept; '' stands for an account that is not there, or has none.

        Takes as long for every answer. Raises Busy.
        """
        return await self._in_turn(lambda: _verify(kept or _NOBODY, prepared(password))) and bool(kept)

    async def _in_turn(self, work: Callable[[], _T]) -> _T:
        if self._waiting >= WAITING_MAX:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def require_strong(password: str, username: str) -> None:
    """Raises WeakPassword for one that may not be chosen: length is what counts.

    https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver
    """
    plain = prepared(password)
    if len(plain) < LENGTH_MIN:
        raise WeakPassword("short")
    if len(plain) > LENGTH_MAX:
        raise WeakPassword("long")
    if plain.casefold() == username.casefold() or len(set(plain)) == 1:
        raise WeakPassword("name")


def prepared(password: str) -> str:
    """The same for every keyboard that can write it (RFC 8265, OpaqueString): one kind of space, composed letters."""
    return unicodedata.normalize(
        "NFC", "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in password)
    )


def _verify(kept: str, password: str) -> bool:
    if len(password) > LENGTH_MAX:
        password = ""
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
