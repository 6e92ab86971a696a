"""The JSON endpoints of the authorization server over HTTP. https://datatracker.ietf.org/doc/html/rfc6749#section-3.2"""

import gzip
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet

from fhir_server.http.authorization import BYTES_MAX, AuthorizationEndpoints
from fhir_server.http.cors import Cors, Origins
from fhir_server.outcome import Category, FhirError
from fhir_server.smart.limits import Limiter, Limits
from fhir_server.smart.server import AuthorizationServer
from tests.fhir_server.http.test_dispatch import bare_scope
from tests.fhir_server.smart.house import REDIRECT, SECRET, VERIFIER, SmartHouse, basic, smart_house

pytestmark = pytest.mark.anyio

HOST = "http://127.0.0.1:8080"
FORMS = ("/auth/token", "/auth/introspect", "/auth/revoke")
DOCUMENTS = (
    "/fhir/.well-known/smart-configuration",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
)
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def smart() -> AsyncIterator[SmartHouse]:
    async with smart_house(dynamic_registration=True) as smart:
        await smart.client()
        yield smart


def endpoints(server: AuthorizationServer) -> AuthorizationEndpoints:
    return AuthorizationEndpoints(server, Cors(Origins(server.state)))


def speaking(server: AuthorizationServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=endpoints(server)), base_url=HOST)


@pytest.fixture
async def client(smart: SmartHouse) -> AsyncIterator[httpx.AsyncClient]:
    async with speaking(smart.server) as client:
        yield client


async def redeemed(client: httpx.AsyncClient, smart: SmartHouse) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": await smart.code(),
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        "client_id": "app",
    }
    return await client.post("/auth/token", data=form)


def is_json(answer: httpx.Response) -> bool:
    found: bool = answer.headers["content-type"] == "application/json"
    return found


# --- discovery and keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*DOCUMENTS, "/auth/jwks"])
@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/fhir+xml", "image/png", "nonsense", None])
async def test_line_1_discovery_is_json_whatever_is_accepted(
    client: httpx.AsyncClient, path: str, accept: str | None
) -> None:
    answer = await client.get(path, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert isinstance(answer.json(), dict)
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


async def test_line_1_the_urls_are_those_that_the_client_uses(client: httpx.AsyncClient) -> None:
    told = (await client.get(DOCUMENTS[0])).json()
    assert told["issuer"] == HOST
    assert told["token_endpoint"] == f"{HOST}/auth/token"


async def test_line_1_no_header_decides_where_this_server_is(client: httpx.AsyncClient) -> None:
    lies = {
        "Host": "evil.test",
        "X-Forwarded-Host": "evil.test",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.test",
    }
    for path in DOCUMENTS:
        assert "evil.test" not in (await client.get(path, headers=lies)).text


async def test_line_2_the_documents_lead_to_endpoints_that_are_there(
    client: httpx.AsyncClient, smart: SmartHouse
) -> None:
    for path in DOCUMENTS:
        told = (await client.get(path)).json()
        for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint", "registration_endpoint"):
            answer = await client.post(told[name])
            assert (answer.status_code, is_json(answer)) == (400, True), name
        keys = (await client.get(told["jwks_uri"])).json()
        assert keys == smart.server.keys.public(smart.server.now())


# --- answers -----------------------------------------------------------------------------------------------------


async def test_line_10_a_token_answer_is_kept_by_no_cache(client: httpx.AsyncClient, smart: SmartHouse) -> None:
    answer = await redeemed(client, smart)
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert is_json(answer)
    assert answer.json()["token_type"] == "Bearer"


async def test_line_12_an_app_checks_the_id_token_with_what_discovery_leads_to(
    client: httpx.AsyncClient, smart: SmartHouse
) -> None:
    """As OpenID Connect has it: configuration, key set, the key that the header names; before and after a rotation."""
    tokens = [(await redeemed(client, smart)).json()["id_token"]]
    smart.server.keys.rotate(smart.server.now())
    tokens.append((await redeemed(client, smart)).json()["id_token"])
    told = (await client.get("/.well-known/openid-configuration")).json()
    known = KeySet.import_key_set((await client.get(told["jwks_uri"])).json())
    for token in tokens:
        read = jwt.decode(token, known, algorithms=told["id_token_signing_alg_values_supported"])
        assert (read.claims["iss"], read.claims["aud"]) == (told["issuer"], "app")
    kids = [jwt.decode(token, known).header["kid"] for token in tokens]
    assert kids[0] != kids[1]


@pytest.mark.parametrize("path", [*FORMS, "/auth/register"])
async def test_line_10_errors_are_kept_by_no_cache_either(client: httpx.AsyncClient, path: str) -> None:
    for answer in (await client.post(path), await client.get(path), await client.post(path, data={"a": "b"})):
        assert answer.status_code in (400, 401, 405)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert is_json(answer)
        assert answer.json().keys() == {"error", "error_description"}


async def test_what_was_issued_can_be_introspected_and_revoked_over_http(
    client: httpx.AsyncClient, smart: SmartHouse
) -> None:
    await smart.client("monitor", kind="symmetric", introspects=True)
    token = (await redeemed(client, smart)).json()["access_token"]
    asked: dict[str, Any] = {"data": {"token": token}, "headers": basic("monitor")}
    assert (await client.post("/auth/introspect", **asked)).json()["active"] is True
    gone = await client.post("/auth/revoke", data={"token": token, "client_id": "app"})
    assert (gone.status_code, gone.content, gone.headers["content-length"]) == (200, b"", "0")
    assert "content-type" not in gone.headers
    assert (await client.post("/auth/introspect", **asked)).json() == {"active": False}


async def test_an_app_registers_itself_and_is_told_its_id(client: httpx.AsyncClient, smart: SmartHouse) -> None:
    asked = {"client_name": "New", "redirect_uris": ["https://new.test/after"], "token_endpoint_auth_method": "none"}
    answer = await client.post("/auth/register", json=asked)
    assert answer.status_code == 201
    kept = await smart.state.clients.get(answer.json()["client_id"])
    assert kept is not None
    assert kept.value.name == "New"


async def test_who_tried_basic_is_told_of_basic(client: httpx.AsyncClient) -> None:
    """https://datatracker.ietf.org/doc/html/rfc6749#section-5.2"""
    answer = await client.post("/auth/token", data={"grant_type": "client_credentials"}, headers=basic("nobody"))
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "path, allow",
    [
        *((path, "POST") for path in (*FORMS, "/auth/register")),
        *((path, "GET, HEAD") for path in (*DOCUMENTS, "/auth/jwks")),
    ],
)
async def test_another_method_is_refused_and_told_which_to_use(
    client: httpx.AsyncClient, path: str, allow: str
) -> None:
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"} - set(allow.split(", ")):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allow)


# --- hostile input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "media_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", "", "\xff"]
)
async def test_line_18_only_a_form_is_taken(client: httpx.AsyncClient, path: str, media_type: str) -> None:
    sent = {"Content-Type": media_type.encode("latin-1")}
    answer = await client.post(path, content=b"grant_type=x&token=x&client_id=app", headers=sent)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_form_may_name_its_character_set(client: httpx.AsyncClient) -> None:
    sent = {"Content-Type": "Application/X-WWW-Form-URLencoded; charset=UTF-8"}
    answer = await client.post("/auth/revoke", content=b"token=x&client_id=app", headers=sent)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", [*FORMS, "/auth/register"])
async def test_line_18_a_body_has_a_size(client: httpx.AsyncClient, path: str) -> None:
    media_type = {"Content-Type": "application/json"} if path == "/auth/register" else FORM_TYPE
    huge = b"a=" + b"x" * BYTES_MAX
    for body, packing in ((huge, {}), (gzip.compress(huge * 10), {"Content-Encoding": "gzip"})):
        answer = await client.post(path, content=body, headers={**media_type, **packing})
        assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"token=%ff",
        b"token=%",
        b"token=%zz",
        b"token=a&token=b",
        b"grant_type=%00",
        b"&".join(b"p%d=1" % number for number in range(1000)),
        b"scope=" + b"x" * 20_000,
        "grant_type=é".encode("latin-1"),
    ],
)
@pytest.mark.parametrize("path", FORMS)
async def test_line_18_hostile_forms_are_bad_requests(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    answer = await client.post(path, content=body, headers=FORM_TYPE)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"a": NaN}',
        b'{"a":1,"a":2}',
        b"[" * 10_000,
        b'{"redirect_uris": "x"}',
        b'{"client_name": "\\ud800"}',
    ],
)
async def test_line_18_hostile_registrations_are_bad_requests(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/auth/register", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_client_metadata", "invalid_redirect_uri")


NAMES = st.sampled_from(
    ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "scope", "refresh_token",
     "client_assertion", "client_assertion_type", "token", "token_type_hint", "x"]
)  # fmt: skip
VALUES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"authorization_code", b"refresh_token", b"client_credentials", b"app", b"monitor", b"%22", b"%5C", b"%C3%A9",
                     b"urn:ietf:params:oauth:client-assertion-type:jwt-bearer", b"a.b.c", b"e30.e30.e30", b""]),
)  # fmt: skip
HEADERS = st.one_of(
    st.none(),
    st.binary(max_size=40).map(lambda junk: b"Basic " + junk),
    st.binary(max_size=40).map(lambda junk: b"Bearer " + junk),
    st.binary(max_size=40),
)


@given(
    path=st.sampled_from([*FORMS, "/auth/register"]),
    pairs=st.lists(st.tuples(NAMES, VALUES), max_size=6),
    authorization=HEADERS,
    raw=st.one_of(st.none(), st.binary(max_size=200)),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_line_18_whatever_is_sent_is_answered_and_never_with_500(
    hostile: Callable[..., Any],
    path: str,
    pairs: list[tuple[str, bytes]],
    authorization: bytes | None,
    raw: bytes | None,
) -> None:
    body = b"&".join(name.encode() + b"=" + value for name, value in pairs) if raw is None else raw
    status, content = await hostile(path, body, authorization)
    assert status in (200, 201, 400, 401, 403), (path, body, authorization)
    if content:
        told = json.loads(content)
        assert told.get("error") != "server_error"
        if "error" in told:  # https://datatracker.ietf.org/doc/html/rfc6749#section-5.2: which characters
            assert all(0x20 <= ord(sign) <= 0x7E and sign not in '"\\' for sign in told["error_description"])


@pytest.fixture
async def hostile(smart: SmartHouse) -> Callable[..., Any]:
    """Sends bytes over bare ASGI, where no client mends them; without limits."""
    unlimited = Limits(**{name: Limiter(10**9, 10**9) for name in Limits.__dataclass_fields__})
    application = endpoints(
        AuthorizationServer(
            smart.house.gateway, smart.state, smart.server.settings, smart.server.keys, limits=unlimited
        )
    )
    await smart.client("monitor", kind="symmetric", introspects=True)

    async def send_bytes(path: str, body: bytes, authorization: bytes | None) -> tuple[int, bytes]:
        media_type = b"application/json" if path == "/auth/register" else b"application/x-www-form-urlencoded"
        headers = [(b"content-type", media_type)] + (
            [(b"authorization", authorization)] if authorization is not None else []
        )
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        await application({**bare_scope("POST", path, *headers), "client": None}, receive, send)
        return sent[0]["status"], sent[1]["body"]

    return send_bytes


async def test_a_client_that_leaves_early_gets_nothing_and_breaks_nothing(smart: SmartHouse) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = bare_scope("POST", "/auth/token", (b"content-length", b"10"))
    await endpoints(smart.server)({**scope, "client": ("127.0.0.1", 1)}, receive, send)
    assert sent == []


# --- faults ------------------------------------------------------------------------------------------------------


async def test_line_18_a_fault_of_ours_is_told_and_logged_without_what_was_sent(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault injection: the endpoint fails with a text that holds a secret."""

    async def broken(*_: object) -> None:
        raise RuntimeError(f"secret {SECRET}")

    monkeypatch.setattr("fhir_server.http.authorization.token", broken)
    with caplog.at_level(logging.DEBUG):
        answer = await client.post("/auth/token", data={"grant_type": "x", "client_secret": SECRET, "code": "the-code"})
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    told = "".join(
        record.getMessage() + str(record.exc_info) for record in caplog.records if record.name.startswith("wijkdossier")
    )
    assert "RuntimeError in tests.fhir_server.http.test_authorization" in told
    for secret in (SECRET, "the-code"):
        assert secret not in answer.text + told


async def test_a_store_that_can_not_write_is_told_as_a_passing_trouble(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault injection: the disk is full."""

    async def full(*_: object) -> None:
        raise FhirError(Category.UNAVAILABLE, "the store can't be written to at the moment")

    monkeypatch.setattr("fhir_server.http.authorization.token", full)
    answer = await client.post("/auth/token", data={"grant_type": "x"})
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")


# --- limits ------------------------------------------------------------------------------------------------------


def limited(smart: SmartHouse, **limits: Limiter) -> httpx.AsyncClient:
    server = smart.server
    return speaking(
        AuthorizationServer(server.gateway, server.state, server.settings, server.keys, limits=Limits(**limits))
    )


@pytest.mark.parametrize("name", ["token", "introspect", "revoke", "register"])
async def test_line_18_who_asks_too_often_is_told_when_to_come_back(smart: SmartHouse, name: str) -> None:
    async with limited(smart, **{name: Limiter(2, 6)}) as client:
        answers = [await client.post(f"/auth/{name}") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [400, 400, 429]
        assert 9 <= int(answers[2].headers["retry-after"]) <= 10
        assert answers[2].json()["error"] == "temporarily_unavailable"
        assert answers[2].headers["cache-control"] == "no-store"
        # Nobody is kept from the documents, nor from the other endpoints.
        assert (await client.get(DOCUMENTS[0])).status_code == 200
        others = {"token", "introspect", "revoke"} - {name}
        assert {(await client.post(f"/auth/{other}")).status_code for other in others} == {400}


async def test_line_18_an_app_that_asks_too_often_leaves_others_at_its_address_their_share(smart: SmartHouse) -> None:
    async with limited(smart, client=Limiter(2, 6)) as client:

        async def status(id: str, **more: Any) -> int:
            return (await client.post("/auth/token", data={"grant_type": "x", "client_id": id}, **more)).status_code

        assert [await status("greedy") for _ in range(3)] == [400, 400, 429]
        assert await status("other") == 400
        # The name that is claimed with Basic counts, whatever the secret.
        tried = [
            (
                await client.post("/auth/token", data={"grant_type": "client_credentials"}, headers=basic("b", f"s{n}"))
            ).status_code
            for n in range(3)
        ]
        assert tried == [401, 401, 429]
