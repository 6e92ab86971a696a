"""Assertions made by an independent maker (`jose` of npm), sent to a live server of two workers: one way in, and no other.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html, https://datatracker.ietf.org/doc/html/rfc7523#section-3
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from time import time
from typing import Any

import httpx
import pytest

from tests.clients import node
from tests.clients.people import register
from tests.live import Live, live

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RACERS = 8


@dataclass(frozen=True)
class Backend:
    """A backend service that is registered at a live server, and assertions that were made for it, by what is wrong."""

    served: Live
    issuer: str
    client: str
    profiled: str  # another client, whose assertions name the issuer
    assertions: dict[str, str]

    def ask(self, assertion: str, **more: str) -> httpx.Response:
        """On a connection of its own, so that any worker may get it."""
        form = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_assertion_type": TYPE,
                "client_assertion": assertion, **more}  # fmt: skip
        return httpx.post(f"{self.issuer}/auth/token", data=form, timeout=30)


Json = dict[str, Any]


def wanted(client: str, issuer: str) -> dict[str, Json]:
    """What is to be made, by a name; only the good ones should be believed."""
    soon = int(time()) + 240
    claims: Json = {"iss": client, "sub": client, "aud": f"{issuer}/auth/token", "exp": soon}

    def one(name: str, key: str = "RS384", header: Json | None = None, **changed: Any) -> Json:
        told = {name: value for name, value in {**claims, "jti": name, **changed}.items() if value is not None}
        alg = "HS384" if key == "HS384" else "RS384" if key == "another" else key
        return {"key": key, "header": {"alg": alg, "kid": key, "typ": "JWT", **(header or {})}, "claims": told}

    return {
        "good": one("good"),
        "good ES384": one("good-es", "ES384"),
        **{f"race {at}": one(f"race-{at}", ("RS384", "ES384")[at % 2]) for at in range(6)},
        "before the restart": one("restart"),
        "an issuer nobody knows": one("1", iss="nobody", sub="nobody"),
        "iss is not sub": one("2", sub="somebody"),
        "iss of another": one("2b", iss="somebody"),
        "no sub": one("3", sub=None),
        "no iss": one("3b", iss=None),
        "no aud": one("4", aud=None),
        "aud is another server": one("5", aud="https://elsewhere.example/token"),
        "aud is the issuer": one("6", aud=issuer),
        "aud is the FHIR base": one("7", aud=f"{issuer}/fhir"),
        "aud has two values": one("8", aud=[f"{issuer}/auth/token", "https://elsewhere.example/token"]),
        "aud ends in a slash": one("9", aud=f"{issuer}/auth/token/"),
        "RS256": one("10", "RS256"),
        "PS384": one("11", "PS384"),
        "ES256": one("12", "ES256", {"kid": "ES384"}),
        "HS384 with the public key": one("13", "HS384", {"kid": "RS384"}),
        "no signature": {**one("14"), "header": {"alg": "none"}},
        "no kid": one("15", header={"kid": ""}),
        "a kid that nobody has": one("16", header={"kid": "x"}),
        "a kid of a key of another kind": one("17", "ES384", {"kid": "RS384"}),
        "a key that is not registered": one("18", "another", {"kid": "RS384"}),
        "expired": one("19", exp=int(time()) - 10),
        "no exp": one("20", exp=None),
        "more than five minutes ahead": one("21", exp=int(time()) + 400),
        "a day ahead": one("22", exp=int(time()) + 86_400),
        "not yet": one("23", nbf=int(time()) + 200),
        "no jti": one("24", jti=None),
        "jti is a number": one("25", jti=25),
        "an unregistered jku": one("26", header={"jku": "https://elsewhere.example/jwks"}),
        "claims that are no object": {**one("28"), "claims": "[]"},
        "aud is the issuer of rfc10070": one("29"),
    }


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    node.require("jose")
    data: Path = tmp_path_factory.mktemp("assertions") / "data"
    with live(data, "--workers", "2") as served:
        issuer = served.url.removesuffix("/fhir")
        names = ("backend", "profiled")
        asked = {name: wanted(name, issuer) for name in names}
        asked["profiled"] = {what: asked["profiled"][what] for what in ("good", "good ES384")}
        asked["profiled"]["good"]["claims"]["aud"] = issuer
        made = node.run("assertions.mjs", make=[one for name in names for one in asked[name].values()])
        for name, profile in zip(names, ("smart22", "rfc10070"), strict=True):
            register(data, id=name, name=name, kind="asymmetric", jwks=json.dumps(made["jwks"]), assertion_profile=profile,
                     grants=("client_credentials",), user="Organization/1", scope="system/*.rs")  # fmt: skip
        texts = iter(made["assertions"])
        told = {f"{name}: {what}": next(texts) for name in names for what in asked[name]}
        yield Backend(served, issuer, "backend", "profiled", told)


def refused(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    words: str = answer.json()["error_description"]
    return words


@pytest.mark.parametrize("name", ["good", "good ES384"])
def test_line_14_a_backend_service_gets_a_short_token_without_refresh(backend: Backend, name: str) -> None:
    answer = backend.ask(backend.assertions[f"backend: {name}"])
    told = answer.json()
    assert answer.status_code == 200
    assert told["expires_in"] <= 300
    assert "refresh_token" not in told
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    assert httpx.get(f"{backend.served.url}/Organization", headers=bearer).status_code == 200


@pytest.mark.parametrize(
    "name", [name for name in wanted("", "") if name.partition(" ")[0] not in ("good", "race", "before")][:-1]
)
def test_line_14_what_an_independent_maker_gets_wrong_is_refused(backend: Backend, name: str) -> None:
    assert refused(backend.ask(backend.assertions[f"backend: {name}"]))


def test_line_14_client_id_must_be_the_subject(backend: Backend) -> None:
    assertion = backend.assertions["backend: aud is the issuer of rfc10070"]
    assert "client_id" in refused(backend.ask(assertion, client_id="profiled"))
    assert backend.ask(assertion, client_id="backend").status_code == 200, "all else was right, and the jti not used up"


def test_line_14_the_audience_is_that_of_the_registered_profile(backend: Backend) -> None:
    assert backend.ask(backend.assertions["profiled: good"]).status_code == 200
    assert "aud" in refused(backend.ask(backend.assertions["profiled: good ES384"])), "the token URL is smart22's"


@pytest.mark.parametrize("at", range(6))
def test_line_14_of_eight_who_use_one_assertion_at_once_one_gets_a_token(backend: Backend, at: int) -> None:
    """Over two workers, each with a memory of its own."""
    barrier, assertion = Barrier(RACERS), backend.assertions[f"backend: race {at}"]

    def race() -> httpx.Response:
        barrier.wait()
        return backend.ask(assertion)

    with ThreadPoolExecutor(RACERS) as pool:
        answers = [future.result() for future in [pool.submit(race) for _ in range(RACERS)]]
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [401] * (RACERS - 1)
    assert all("jti" in refused(answer) for answer in answers if answer.status_code == 401)


def test_line_14_a_used_jti_is_known_after_a_restart(backend: Backend) -> None:
    assertion = backend.assertions["backend: before the restart"]
    assert backend.ask(assertion).status_code == 200
    with live(backend.served.data, "--base-url", backend.served.url) as again:
        form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion}
        answer = httpx.post(f"{again.url.removesuffix('/fhir')}/auth/token", data=form)
        assert "jti" in refused(answer)
