"""Registering apps: what one may be, the Device it gets, its secret, and what ends when it goes.

https://datatracker.ietf.org/doc/html/rfc7591#section-2, https://datatracker.ietf.org/doc/html/rfc9700#section-2.1
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.smart import client_metadata
from fhir_server.smart.assertions import ASSERTION_TYPE
from fhir_server.smart.client_metadata import RedirectUriError, check_origin, check_redirect_uri
from fhir_server.smart.clients import CLIENT_ID_SYSTEM, Clients, UnknownClient
from fhir_server.smart.records import Client, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from fhir_server.store.auth import AuthWrite
from fhir_server.store.protocol import StoreUnavailable
from fhir_server.store.sqlite.store import SqliteStore
from profiles import registry
from tests.fhir_server.smart.house import REDIRECT, SmartHouse
from tests.fhir_server.smart.signing import claims, ec, key_set, public, rsa, signed

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
BY = "operator test"


def app(id: str = "app", **more: Any) -> Client:
    terms = {
        "id": id,
        "name": "Metingen",
        "kind": "public",
        "scope": "openid patient/*.rs",
        "redirect_uris": (REDIRECT,),
    }
    return Client(**{**terms, **more})


def backend(**more: Any) -> Client:
    return app(
        "backend",
        **{
            "kind": "asymmetric",
            "scope": "system/*.rs",
            "redirect_uris": (),
            "grants": ("client_credentials",),
            "user": "Organization/o",
            "jwks": json.dumps(key_set(ec(), rsa())),
            **more,
        },
    )


def check(client: Client) -> None:
    client_metadata.check(client, registry.load())


# --- what one may be -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.test",
        "https://app.test/",
        "https://app.test:8443/after?from=here&to=there",
        "https://xn--nxasmq6b.test/after",
        "https://[2001:db8::1]/after",
        "http://127.0.0.1/after",
        "http://127.0.0.1:3000/after",
        "http://localhost:3000/",
        "http://[::1]:3000/",
        "nl.wijk.app:/after",
        "com.example.app://after",
        "https://app.test/a%20b",
    ],
)
def test_line_3_a_redirect_uri_is_https_or_loopback_or_of_the_app_itself(uri: str) -> None:
    check_redirect_uri(uri)
    check(app(redirect_uris=(uri,)))


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "app.test/after",
        "/after",
        "//app.test/after",
        "http://app.test/after",
        "http://127.0.0.1.app.test/",
        "http://127.0.0.2/",
        "http://localhost.app.test/",
        "http://app.test@127.0.0.1/",
        "http://[::1].app.test/",
        "https://",
        "https:///after",
        "https:after",
        "https://user@app.test/",
        "https://user:word@app.test/",
        "https://app.test/#",
        "https://app.test/#after",
        "https://*.app.test/",
        "https://app.test/*",
        "https://app.test/a b",
        "https://app.test/\\after",
        "https://app.test\\@elsewhere.test/",
        "https://app.test/\n",
        "https://app.test/\u00e9",
        "https://\u0430pp.test/",
        "https://app.test:/",
        "https://app.test:0/",
        "https://app.test:99999/",
        "https://app.test:port/",
        "https://[::1/",
        "HTTPS://app.test/",
        "https://APP.test/",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///after",
        "ftp://app.test/",
        "about:blank",
        "app:/after",
        "custom://after",
        ".app:/after",
        "nl..app:/after",
        "nl.app./after",
        "urn:ietf:wg:oauth:2.0:oob",
        "https://app.test/" + "a" * 2000,
    ],
)
def test_line_3_any_other_redirect_uri_is_refused(uri: str) -> None:
    with pytest.raises(RedirectUriError):
        check_redirect_uri(uri)
    with pytest.raises(RedirectUriError):
        check(app(redirect_uris=(REDIRECT, uri)))


@pytest.mark.parametrize(
    "origin", ["https://app.test", "https://app.test:8443", "http://localhost:3000", "http://[::1]:1"]
)
def test_line_17_an_origin_is_what_a_browser_says(origin: str) -> None:
    check_origin(origin)


@pytest.mark.parametrize(
    "origin",
    ["https://app.test/", "https://app.test?", "null", "*", "https://*.app.test", "http://app.test", "https://", "app.test",
     "https://u@app.test", "https://App.test", "nl.app:", "", "http://localhost.test"],
)  # fmt: skip
def test_line_17_anything_else_is_no_origin(origin: str) -> None:
    with pytest.raises(ValueError):
        check_origin(origin)
    with pytest.raises(ValueError):
        check(app(origins=("https://app.test", origin)))


@pytest.mark.parametrize(
    "made",
    [
        app(),
        app(kind="symmetric"),
        app(kind="asymmetric", jwks=json.dumps(key_set(ec()))),
        app(kind="asymmetric", jwks_uri="https://app.test/keys"),
        app(scope="openid fhirUser launch launch/patient offline_access online_access user/*.cruds patient/Patient.read"),
        app(scope="patient/Observation.rs?category=vital-signs"),
        app(purpose="TREAT", publisher="Wijk BV", verified=True, explanation="Om uw gewicht bij te houden.",
            launch_uri="https://app.test/launch", origins=("https://scripts.app.test",)),
        app(name="Zoë's app: 体重 & μέτρηση ❤"),
        backend(),
        backend(jwks="", jwks_uri="https://backend.test/keys"),
        backend(redirect_uris=(REDIRECT,), grants=("authorization_code", "refresh_token", "client_credentials")),
        backend(introspects=True, assertion_profile="rfc10070"),
        app(kind="symmetric", introspects=True, redirect_uris=(), grants=(), scope=""),
    ],
)  # fmt: skip
def test_a_client_may_be(made: Client) -> None:
    check(made)


@pytest.mark.parametrize(
    "made, words",
    [
        (app(""), "client id"),
        (app("a b"), "client id"),
        (app("a/b"), "client id"),
        (app("a" * 61), "client id"),
        (app(kind="secretive"), "kind"),
        (app(name=""), "name"),
        (app(name="  "), "name"),
        (app(name="a" * 101), "name"),
        (app(name="App\n"), "name"),
        (app(name="App\u202eppA"), "name"),
        (app(name="App\u200b"), "name"),
        (app(name="\u3164"), "name"),
        (app(name="App\ud800"), "name"),
        (app(name="App\ufeff"), "name"),
        (app(publisher="BV\x00"), "publisher"),
        (app(publisher="a" * 101), "publisher"),
        (app(explanation="a" * 1001), "explanation"),
        (app(explanation="one\u2028two"), "explanation"),
        (app(verified=True), "verified"),
        (app(redirect_uris=()), "redirect_uri"),
        (app(redirect_uris=(REDIRECT, REDIRECT)), "redirect_uri"),
        (app(redirect_uris=tuple(f"{REDIRECT}/{n}" for n in range(21))), "redirect_uri"),
        (app(launch_uri="http://app.test/launch"), "launch_uri"),
        (app(launch_uri="nl.app:/launch"), "launch_uri"),
        (app(launch_uri="https://app.test/#launch"), "launch_uri"),
        (app(scope=""), "scope"),
        (app(scope="everything"), "scope"),
        (app(scope="patient/Everything.rs"), "scope"),
        (app(scope="patient/Patient.sr"), "scope"),
        (app(scope="patient/*.rs system/*.rs"), "scope system/"),
        (app(scope="openid " * 2000), "scope"),
        (app(grants=()), "a client has"),
        (app(grants=("authorization_code", "authorization_code")), "grants"),
        (app(grants=("refresh_token",), redirect_uris=()), "goes with"),
        (app(grants=("client_credentials",), redirect_uris=(), user="Organization/o"), "asymmetric"),
        (app(kind="symmetric", grants=("client_credentials",), redirect_uris=(), user="Organization/o"), "asymmetric"),
        (app(user="Organization/o"), "client_credentials"),
        (app(introspects=True), "introspects"),
        (app(purpose="FUN"), "purpose"),
        (app(jwks=json.dumps(key_set(ec()))), "jwks"),
        (app(jwks_uri="https://app.test/keys"), "jwks"),
        (app(kind="symmetric", jwks_uri="https://app.test/keys"), "jwks"),
        (app(assertion_profile="other"), "assertion profile"),
        (backend(user=""), "client_credentials"),
        (backend(user="system"), "user is one of"),
        (backend(user="Observation/1"), "user is one of"),
        (backend(user="Organization/"), "user is one of"),
        (backend(user="Organization/a b"), "user is one of"),
        (backend(user="Device/app-of-somebody-else"), "user is no registered app"),
        (backend(jwks=""), "jwks"),
        (backend(jwks_uri="https://backend.test/keys"), "jwks"),
        (backend(jwks="", jwks_uri="http://backend.test/keys"), "https"),
        (backend(jwks="", jwks_uri="http://127.0.0.1/keys"), "https"),
        (backend(jwks="", jwks_uri="https://u:p@backend.test/keys"), "user name"),
        (backend(jwks="{"), "jwks"),
        (backend(jwks="[]"), "jwks"),
        (backend(jwks='{"keys": []}'), "jwks"),
        (backend(jwks=json.dumps(key_set(ec().export_private(as_dict=True)))), "public members only"),
        (backend(jwks=json.dumps(key_set(rsa().export_private(as_dict=True)))), "public members only"),
        (backend(jwks=json.dumps(key_set(public(ec(), kid=None)))), "kid"),
        (backend(jwks=json.dumps(key_set(ec(), ec()))), "kid"),
        (backend(jwks=json.dumps(key_set(ec(), public(rsa(), kid=ec()["kid"])))), "kid"),
        (backend(jwks=json.dumps(key_set(ec("p256", "P-256")))), "P-384"),
        (backend(jwks=json.dumps(key_set(public(rsa(), alg="RS256")))), "RS384"),
        (backend(jwks=json.dumps(key_set(public(rsa(), use="enc")))), "signatures"),
        (backend(jwks=json.dumps(key_set({"kty": "oct", "kid": "1"}))), "kty"),
        (backend(jwks=json.dumps(key_set(public(rsa(), n="AQAB")))), "jwks"),
        (backend(jwks=json.dumps(key_set(*(public(ec(), kid=str(n)) for n in range(51))))), "at most 50"),
        (backend(jwks=json.dumps(key_set(ec())) + " " * 65536), "at most 65536 bytes"),
    ],
)  # fmt: skip
def test_a_client_may_not_be(made: Client, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        check(made)
    assert "AQAB" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Key size")
def test_line_14_a_short_key_is_not_registered() -> None:
    with pytest.raises(ValueError, match="2048"):
        check(backend(jwks=json.dumps(key_set(rsa("short", 1024)))))


# --- registering ---------------------------------------------------------------------------------------------------


async def test_a_secret_is_made_shown_once_and_kept_as_its_digest(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    registered = await clients.add(app(kind="symmetric", secret="chosen by somebody"), BY)
    assert len(registered.secret) >= 43  # 256 bits
    stored = await clients.get("app")
    assert stored == registered.client
    assert stored is not None
    assert stored.secret == digest(registered.secret)
    assert stored.created > 0
    assert (await clients.add(app("second", kind="symmetric"), BY)).secret != registered.secret


async def test_a_client_without_a_secret_gets_none(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    for made in (app(secret="chosen by somebody"), backend()):
        registered = await clients.add(made, BY)
        assert (registered.secret, registered.client.secret) == ("", "")
    assert [client.id for client in await clients.all()] == ["app", "backend"]


async def test_what_may_not_be_is_not_stored_and_has_no_device(smart: SmartHouse) -> None:
    with pytest.raises(RedirectUriError):
        await Clients(smart.server).add(app(redirect_uris=("http://app.test",)), BY)
    assert await Clients(smart.server).get("app") is None
    operator = await smart.house.caller(scope="system/*.rs")
    assert (await operator.get("Device/app-app")).status == 404


async def test_an_id_is_taken_once(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    await clients.add(app(), BY)
    with pytest.raises(ValueError, match="taken"):
        await clients.add(app(name="Another"), BY)
    kept = await clients.get("app")
    assert kept is not None
    assert kept.name == "Metingen"
    operator = await smart.house.caller(scope="system/*.rs")
    assert (await operator.get("Device/app-app")).json["deviceName"][0]["name"] == "Metingen"


async def test_an_app_has_a_device_about_nobody_by_which_consents_name_it(smart: SmartHouse) -> None:
    await Clients(smart.server).add(app(), BY)
    operator = await smart.house.caller(scope="system/*.rs")
    found = await operator.get("Device/app-app")
    assert found.status == 200
    assert found.json["identifier"] == [{"system": CLIENT_ID_SYSTEM, "value": "app"}]
    assert found.json["deviceName"] == [{"name": "Metingen", "type": "user-friendly-name"}]
    assert "patient" not in found.json
    assert (await operator.get("Device?identifier=app")).ids == ["app-app"]
    resident = await smart.house.caller("Patient/p", "patient/*.rs", patient="p")
    assert (await resident.get("Device/app-app")).status == 404  # they meet it by name only


async def test_each_change_stands_in_the_audit_log_under_the_name_of_who_made_it(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    secret = (await clients.add(app(kind="symmetric"), BY)).secret
    again = (await clients.rotate("app", BY)).secret
    await clients.remove("app", BY)
    assert await smart.log() == ["client app registered", "client app has new credentials", "client app removed"]
    operator = await smart.house.caller()
    events = (await operator.get("AuditEvent?entity=Device/app-app&_count=1000")).resources
    assert len(events) >= 5  # and the Device written and deleted
    assert all(BY in json.dumps(event["agent"]) for event in events)
    assert secret not in json.dumps(events)
    assert again not in json.dumps(events)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(name=st.text(min_size=1, max_size=20))
async def test_whatever_name_may_be_can_be_written(smart: SmartHouse, name: str) -> None:
    clients = Clients(smart.server)
    made = app(clients.new_id(), name=name)
    try:
        check(made)
    except ValueError:
        return
    await clients.add(made, BY)


# --- new credentials -----------------------------------------------------------------------------------------------


async def test_a_new_secret_takes_the_place_of_the_old_one(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    old = (await clients.add(app(kind="symmetric"), BY)).secret
    new = (await clients.rotate("app", BY)).secret
    assert new != old
    form = {"grant_type": "refresh_token", "refresh_token": "none", "client_id": "app"}
    await smart.refused("invalid_client", **form, client_secret=old)
    await smart.refused("invalid_grant", **form, client_secret=new)  # the client is believed, the token is not


async def test_new_keys_take_the_place_of_the_old_ones(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    await clients.add(backend(), BY)
    assert (await clients.rotate("backend", BY, jwks=json.dumps(key_set(ec("new"))))).secret == ""
    await smart.refused("invalid_client", **service(smart, signed(claims(now=smart.house.clock.now), ec())))
    assert await smart.token(**service(smart, signed(claims(now=smart.house.clock.now), ec("new"))))
    moved = (await clients.rotate("backend", BY, jwks_uri="https://backend.test/keys")).client
    assert (moved.jwks, moved.jwks_uri) == ("", "https://backend.test/keys")


def service(smart: SmartHouse, assertion: str) -> Json:
    return {
        "grant_type": "client_credentials",
        "scope": "system/Organization.rs",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }


async def test_credentials_of_another_kind_or_of_no_use_are_refused(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    await clients.add(app(), BY)
    await clients.add(app("secretive", kind="symmetric"), BY)
    await clients.add(backend(), BY)
    keys = json.dumps(key_set(ec("new")))
    for id, more in (("app", {}), ("app", {"jwks": keys}), ("secretive", {"jwks": keys}), ("backend", {}),
                     ("backend", {"jwks": "{}"}), ("backend", {"jwks_uri": "http://backend.test"}),
                     ("backend", {"jwks": keys, "jwks_uri": "https://backend.test"})):  # fmt: skip
        before = await clients.get(id)
        with pytest.raises(ValueError):
            await clients.rotate(id, BY, **more)
        assert await clients.get(id) == before
    with pytest.raises(UnknownClient):
        await clients.rotate("nobody", BY)


# --- taking it away ------------------------------------------------------------------------------------------------


async def test_what_was_granted_ends_with_the_client(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    for id in ("app", "other"):
        await clients.add(app(id, scope="openid fhirUser launch/patient offline_access patient/Observation.rs"), BY)
    grant, kept = await smart.grant("app"), await smart.grant("other")
    issued = await smart.issued(grant)
    others = await smart.issued(kept, client_id="other")
    code = await smart.code(grant)
    assert await smart.status(issued["access_token"]) == 200
    await clients.remove("app", BY)
    assert await smart.status(issued["access_token"]) == 401
    await smart.refused("invalid_client", grant_type="refresh_token", client_id="app",
                        refresh_token=issued["refresh_token"])  # fmt: skip
    await smart.refused("invalid_client", grant_type="authorization_code", client_id="app", code=code)
    assert (await smart.found(grant)).value.ended > 0
    person = await smart.house.caller("Patient/p", "patient/*.rs", patient="p")
    assert (await person.get("Consent/lets-in-app")).json["status"] == "inactive"
    operator = await smart.house.caller(scope="system/*.rs")
    assert (await operator.get("Device/app-app")).status == 410
    assert await clients.get("app") is None
    # Whoever was not named has lost nothing.
    assert await smart.status(others["access_token"]) == 200
    assert (await smart.found(kept)).value.ended == 0
    assert (await person.get("Consent/lets-in-other")).json["status"] == "active"


async def test_the_tokens_of_a_backend_service_end_with_it(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    await clients.add(backend(user="Organization/practice"), BY)
    answer = await smart.token(**service(smart, signed(claims(now=smart.house.clock.now))))
    assert (await smart.bearer(answer["access_token"]).get("Organization?_count=1")).status == 200
    await clients.remove("backend", BY)
    assert (await smart.bearer(answer["access_token"]).get("Organization?_count=1")).status == 401


async def test_a_client_whose_device_is_gone_can_be_removed(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    await clients.add(app(), BY)
    operator = await smart.house.caller()
    assert (await operator.delete("Device/app-app")).status in (200, 204)
    await clients.remove("app", BY)
    assert await clients.get("app") is None
    with pytest.raises(UnknownClient):
        await clients.remove("app", BY)


class Unable:
    """A store that keeps its clients, whatever it is told; everything else is done."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit_auth(self, writes: Sequence[AuthWrite] = (), **more: Any) -> None:
        if any(write.kind == "client" and write.body is None for write in writes):
            raise StoreUnavailable
        await self._store.commit_auth(writes, **more)


async def test_a_removal_that_fails_halfway_has_ended_what_was_granted_and_can_be_done_again(smart: SmartHouse) -> None:
    await Clients(smart.server).add(app(scope="launch/patient offline_access patient/Observation.rs"), BY)
    issued = await smart.issued(await smart.grant("app"))
    one = smart.server
    unable = AuthorizationServer(one.gateway, State(Unable(smart.house.store)), one.settings, one.keys)
    with pytest.raises(StoreUnavailable):
        await Clients(unable).remove("app", BY)
    assert await Clients(one).get("app") is not None
    assert await smart.status(issued["access_token"]) == 401
    await Clients(one).remove("app", BY)
    assert await Clients(one).get("app") is None


async def test_an_id_can_be_used_again_and_what_was_granted_before_stays_ended(smart: SmartHouse) -> None:
    clients = Clients(smart.server)
    await clients.add(app(scope="launch/patient offline_access patient/Observation.rs"), BY)
    issued = await smart.issued(await smart.grant("app"))
    await clients.remove("app", BY)
    await clients.add(app(scope="launch/patient offline_access patient/Observation.rs"), BY)
    assert await smart.status(issued["access_token"]) == 401
    await smart.refused("invalid_grant", grant_type="refresh_token", client_id="app",
                        refresh_token=issued["refresh_token"])  # fmt: skip
