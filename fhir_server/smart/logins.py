"""Browsers that somebody has logged in with: begun, found, ended.

A login ends twelve hours after it began, and an hour after it was last used: by the person, or by an app that they let
in for as long as they are there. https://pages.nist.gov/800-63-4/sp800-63b.html#reauthentication
"""

import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

from fhir_server.smart.records import Account, Login, SecondStep, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept
from fhir_server.store.auth import AuthConflict, AuthWrite
from fhir_server.store.protocol import AuditEntry

_SECOND: Final = 1_000_000
LASTS: Final = 12 * 3600 * _SECOND
IDLE: Final = 3600 * _SECOND
# How old the note of the last use may get: a page is not a write.
_NOTED: Final = 300 * _SECOND

# Between the password and the code of a second step.
_SECOND_STEP: Final = 300 * _SECOND

# What a login with a password and a code amounts to; with a password alone it claims nothing.
# https://refeds.org/profile/mfa
SECOND_FACTOR_ACR: Final = "https://refeds.org/profile/mfa"

PORTAL: Final = "portal"  # the client that the audit log names for what people do on these pages


def new_cookie() -> str:
    """32 random bytes as text."""
    return secrets.token_urlsafe(32)


class Logins:
    """The logins of one server."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server
        self._state = server.state

    async def begin(
        self, account: Account, people: Sequence[str], acr: str, *writes: AuthWrite, instead: str, since: int = 0
    ) -> str:
        """The cookie of a new login as one of `people`, chosen if there is one only; what the browser had is ended.

        `instead` is the cookie that the browser had, `writes` what has to be stored along with it, `since` when they
        showed who they are, if that was not now. A new cookie for every login: one that somebody else put into the
        browser before is worth nothing.
        """
        now, cookie = self._server.now(), new_cookie()
        person = people[0] if len(people) == 1 else ""
        login = Login(
            account=account.id,
            username=account.username,
            name=account.name,
            people=tuple(people),
            person=person,
            since=since or now,
            expires=now + IDLE,
            acr=acr,
            used=now,
            until=now + LASTS,
        )
        await self._state.commit(
            self._state.logins.add(digest(cookie), login, subject=account.username, expires=login.expires),
            *writes,
            *await self._ending(instead),
            audit=[self._entry(person or people[0], 200, "logged in")],
        )
        return cookie

    async def wait(self, account: Account, following: str, *, instead: str) -> str:
        """The cookie of a browser in which the right password was given and a code is asked for; see `begin`."""
        cookie = new_cookie()
        expires = self._server.now() + _SECOND_STEP
        step = SecondStep(username=account.username, following=following, expires=expires)
        write = self._state.second_steps.add(digest(cookie), step, expires=expires)
        await self._state.commit(write, *await self._ending(instead))
        return cookie

    async def waiting(self, cookie: str) -> Kept[SecondStep] | None:
        """Who gave the right password in the browser with this cookie a moment ago."""
        kept = await self._state.second_steps.get(digest(cookie)) if cookie else None
        return kept if kept is not None and kept.value.expires > self._server.now() else None

    async def refused(self, account: Account | None, why: str) -> None:
        """Tell in the audit log that somebody could not show to be this person, or (None) to be anybody.

        Both take one write, so that the time of the answer does not tell which of the two it was.
        """
        await self._state.commit(audit=[self._entry(account.people[0] if account else "", 401, why)])

    async def find(self, cookie: str) -> Kept[Login] | None:
        """The login of the browser that has this cookie, None if it has none or it ended. Counts as use."""
        return await self.lasting(digest(cookie)) if cookie else None

    async def lasting(self, key: str) -> Kept[Login] | None:
        """The login with this key (`Grant.login`), None if it ended. Counts as use."""
        kept = await self._state.logins.get(key)
        now = self._server.now()
        if kept is None or kept.value.expires <= now:
            return None
        if now - kept.value.used < _NOTED:
            return kept
        expires = min(now + IDLE, kept.value.until)
        return await self._change(kept, used=now, expires=expires) or await self._state.logins.get(key)

    async def choose(self, kept: Kept[Login], person: str) -> Kept[Login] | None:
        """The login as this person from now on; None if it ended meanwhile. Raises ValueError for somebody else."""
        if person not in kept.value.people:
            raise ValueError("person is one of those of the account")
        return await self._change(kept, person=person)

    async def enrol(self, kept: Kept[Login], sealed: str) -> Kept[Login] | None:
        """The login with the secret of a second step that is to be confirmed, '' for none any more."""
        return await self._change(kept, enrolling=sealed)

    async def end(self, kept: Kept[Login]) -> None:
        """Apps that were let in for as long as the person was there get no new tokens from here on."""
        who = kept.value.person or kept.value.people[0]
        try:
            await self._state.commit(self._state.logins.remove(kept), audit=[self._entry(who, 200, "logged out")])
        except AuthConflict:
            current = await self._state.logins.get(kept.key)
            if current is not None:
                await self.end(current)

    async def endings(self, username: str, *, but: str = "") -> list[AuthWrite]:
        """What ends every login of the account, except the one with the key `but`."""
        return [self._state.logins.remove(kept) for kept in await self._state.logins.all(username) if kept.key != but]

    async def _ending(self, cookie: str) -> list[AuthWrite]:
        """What ends the login of the browser with this cookie, if it has one."""
        kept = await self._state.logins.get(digest(cookie)) if cookie else None
        return [] if kept is None else [self._state.logins.remove(kept)]

    async def _change(self, kept: Kept[Login], **fields: object) -> Kept[Login] | None:
        """None if it ended meanwhile; starts over on what another request changed."""
        while True:
            value = msgspec.structs.replace(kept.value, **fields)
            try:
                await self._state.commit(self._state.logins.change(kept, value, expires=value.expires))
            except AuthConflict:
                current = await self._state.logins.get(kept.key)
                if current is None:
                    return None
                kept = current
                continue
            return Kept(kept.key, kept.revision + 1, kept.subject, value.expires, value)

    def _entry(self, user: str, outcome: int, detail: str) -> AuditEntry:
        return self._server.entry(user, PORTAL, outcome, detail)
