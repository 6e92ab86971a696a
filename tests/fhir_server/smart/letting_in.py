"""A person who answers an app's request, on a real server: the request as it waits, their login, what they tick."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fhir_server.gateway.gateway import new_uuid
from fhir_server.smart import grants
from fhir_server.smart.authorize import WAIT_SECONDS
from fhir_server.smart.consenting import Choice
from fhir_server.smart.grants import Asked
from fhir_server.smart.records import Authorization, Client, Grant, Login
from fhir_server.smart.state import Kept
from tests.fhir_server.inprocess import Caller
from tests.fhir_server.smart.house import ADDRESSES, CHALLENGE, REDIRECT, SECOND, SmartHouse

Json = dict[str, Any]
EVERYTHING = "openid fhirUser launch/patient offline_access online_access patient/*.cruds user/*.cruds"


@dataclass(frozen=True)
class Answered:
    """What came of an answer: the redirect URL, and the grant in it."""

    location: str
    grant: Kept[Grant]

    @property
    def said(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}


async def app(smart: SmartHouse, id: str = "app", **more: Any) -> Client:
    return await smart.client(id, **{"scope": EVERYTHING, **more})


async def login(smart: SmartHouse, person: str = "Patient/p") -> Kept[Login]:
    key = await smart.login(new_uuid(), person=person, people=(person,))
    kept = await smart.state.logins.get(key)
    assert kept is not None
    return kept


async def waits(smart: SmartHouse, client: Client, scope: str, patient: str = "p", **more: Any) -> Asked:
    """A request that was checked."""
    expires = smart.server.now() + WAIT_SECONDS * SECOND
    terms = {"client": client.id, "redirect_uri": REDIRECT, "state": "its own state", "scope": scope, "patient": patient,
             "challenge": CHALLENGE, "base": ADDRESSES.base, "issuer": ADDRESSES.issuer, "expires": expires, **more}  # fmt: skip
    key = new_uuid()
    await smart.state.commit(smart.state.authorizations.add(key, Authorization(**terms), expires=expires))
    kept = await smart.state.authorizations.get(key)
    assert kept is not None
    return Asked(kept, client, None)


def choice(reading: str = "", writing: str = "", sensitive: str = "", duration: Any = "once") -> Choice:
    """Names with spaces between them."""
    return Choice(frozenset(reading.split()), frozenset(writing.split()), frozenset(sensitive.split()), duration)


async def let_in(
    smart: SmartHouse, client: Client, scope: str, ticked: Choice, person: str = "Patient/p", patient: str = "p"
) -> Answered:
    asked = await waits(smart, client, scope, patient)
    location = await grants.let_in(smart.server, asked, await login(smart, person), ticked)
    (newest, *_) = await grants.of_person(smart.server, person)
    return Answered(location, newest)


async def caller(smart: SmartHouse, answered: Answered, client: str = "app") -> Caller:
    """The app, with the token that it got for its code."""
    token = await smart.redeem(answered.said["code"], client_id=client)
    return smart.bearer(token["access_token"])
