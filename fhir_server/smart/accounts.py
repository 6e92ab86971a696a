"""Accounts: who can log in, as whom, and how they show it.

https://pages.nist.gov/800-63-4/sp800-63b.html
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.smart import grants
from fhir_server.smart.logins import Logins
from fhir_server.smart.passwords import Passwords, require_strong
from fhir_server.smart.records import Account, Identity, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept
from fhir_server.store.auth import AuthConflict, AuthWrite

OPERATOR: Final = "operator"
PERSON_TYPES: Final = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole")
RESIDENT_TYPES: Final = ("Patient", "RelatedPerson")

# Which of these (type, logical id) are not there: `gateway.maintenance.Maintenance.absent`.
Absent: TypeAlias = Callable[[Iterable[tuple[str, str]]], Awaitable[Sequence[tuple[str, str]]]]

_STOPPED: Final = "app stopped with the account"
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


class Accounts:
    """The accounts of one server. Whatever changes one ends the logins that hang on what was changed."""

    def __init__(self, server: AuthorizationServer, passwords: Passwords) -> None:
        self._server = server
        self._state = server.state
        self._passwords = passwords
        self._logins = Logins(server)

    async def get(self, username: str) -> Kept[Account] | None:
        """The account with this name, in whatever case it was typed."""
        return await self._state.accounts.get(username.strip().lower())

    async def known_as(self, issuer: str, subject: str) -> Kept[Account] | None:
        """The account of whom an OpenID Provider calls `subject`."""
        identity = await self._state.identities.get(_identity(issuer, subject))
        return None if identity is None else await self.get(identity.value.username)

    async def list(self) -> list[Account]:
        """By username."""
        return [kept.value for kept in await self._state.accounts.all()]

    async def add(
        self,
        username: str,
        people: Sequence[str],
        client: str,
        absent: Absent,
        *,
        name: str = "",
        password: str = "",
        published: bool = False,
    ) -> None:
        """`client` is who the audit log names; `password` '' for somebody who logs in at an OpenID Provider only.
        `published`: everybody can know it.

        Raises ValueError for a name that is taken or none, for people who are not there or do not log in, and for a
        password that is too short; Busy.
        """
        username = username.strip().lower()
        if not _USERNAME.fullmatch(username):
            raise ValueError("username is 1 to 64 of a-z, 0-9 and . _ @ + -, and begins with a letter or digit")
        if not people:
            raise ValueError("person is missing: an account is for somebody")
        for person in people:
            _require_person(person)
        pairs = [(kind, logical_id) for kind, _, logical_id in (one.partition("/") for one in people) if logical_id]
        for kind, logical_id in await absent(pairs):
            raise ValueError(f"person `{kind}/{logical_id}` is not there")
        kept = ""
        if password:
            require_strong(password, username)
            kept = await self._passwords.hash(password)
        account = Account(
            id=self._server.gateway.tools.new_id(),
            username=username,
            name=name or username,
            people=tuple(dict.fromkeys(people)),
            password=kept,
            published=published,
            created=self._server.now(),
        )
        entry = self._server.entry("", client, 201, "account added", people[0])
        try:
            await self._state.commit(self._state.accounts.add(username, account, subject=account.id), audit=[entry])
        except AuthConflict:
            raise ValueError(f"username `{username}` is taken") from None

    async def set_password(
        self, kept: Kept[Account], password: str, client: str, *, but: str = "", second_step: bool = True
    ) -> None:
        """Another password; every login but the one with the key `but` ends. `second_step` false: no code any more.

        Raises WeakPassword, Busy, and AuthConflict if the account changed meanwhile.
        """
        require_strong(password, kept.value.username)
        account = msgspec.structs.replace(kept.value, password=await self._passwords.hash(password), published=False)
        if not second_step:
            account = msgspec.structs.replace(account, totp="", totp_used=0)
        await self.change(kept, account, client, "password changed", but=but)

    async def link(self, kept: Kept[Account], issuer: str, subject: str, client: str) -> None:
        """From now on `subject` at the OpenID Provider `issuer` is this person.

        Raises ValueError if they are somebody already, and AuthConflict if the account changed meanwhile.
        """
        if not issuer or not subject:
            raise ValueError("issuer and subject are both needed")
        pair = f"{issuer} {subject}"
        if pair in kept.value.external:
            return
        if await self._state.identities.get(_identity(issuer, subject)) is not None:
            raise ValueError("subject belongs to an account already")
        identity = self._state.identities.add(_identity(issuer, subject), Identity(username=kept.key))
        account = msgspec.structs.replace(kept.value, external=(*kept.value.external, pair))
        await self.change(kept, account, client, "account linked to an OpenID Provider", identity)

    async def remove(self, kept: Kept[Account], client: str) -> None:
        """The account, its links and its logins, and what was let in with it: nobody is left who could stop that.

        Raises AuthConflict if it changed meanwhile. If it fails halfway, the account is there and can be removed again.
        """
        await self._end_grants(kept.value, client)
        writes = [self._state.accounts.remove(kept), *await self._logins.endings(kept.key)]
        for pair in kept.value.external:
            identity = await self._state.identities.get(_identity(*pair.split(" ", 1)))
            if identity is not None:
                writes.append(self._state.identities.remove(identity))
        entry = self._server.entry("", client, 200, "account removed", kept.value.people[0])
        await self._state.commit(*writes, audit=[entry])
        await self._end_grants(kept.value, client)  # an app may have been let in at that very moment

    async def _end_grants(self, account: Account, client: str) -> None:
        for person in dict.fromkeys(account.people):
            for grant in await self._state.grants.all(person):
                if grant.value.account == account.id and not grant.value.ended:
                    await grants.end(self._server, grant, Requester(SYSTEM_KIND, client, ()), _STOPPED)

    async def change(
        self, kept: Kept[Account], account: Account, client: str, detail: str, *writes: AuthWrite, but: str = ""
    ) -> None:
        """The account as it is to be; its logins end, except the one with the key `but`. Raises AuthConflict."""
        entry = self._server.entry("", client, 200, detail, account.people[0])
        endings = await self._logins.endings(kept.key, but=but)
        await self._state.commit(self._state.accounts.change(kept, account), *writes, *endings, audit=[entry])


def _require_person(person: str) -> None:
    """Raises ValueError unless it is somebody of a kind that logs in."""
    kind, _, logical_id = person.partition("/")
    if person != OPERATOR and (kind not in PERSON_TYPES or not logical_id):
        raise ValueError(f"person is `operator` or a reference to a {', '.join(PERSON_TYPES)}")


def _identity(issuer: str, subject: str) -> str:
    return digest(f"{issuer}\0{subject}")
