"""CORS, as a browser sees it. https://fetch.spec.whatwg.org/#http-cors-protocol"""

from collections.abc import AsyncIterator

import httpx
import pytest
from msgspec.structs import replace

from fhir_server.http.authorization import AuthorizationEndpoints
from fhir_server.http.cors import MISS_SECONDS, REFRESH_SECONDS, Cors, Origins, origins
from fhir_server.http.dispatch import FhirApplication
from fhir_server.http.metrics import Metrics
from fhir_server.http.reading import Receive, Scope, Send
from fhir_server.smart.records import Client
from profiles import registry
from tests.fhir_server.smart.house import SmartHouse, smart_house

pytestmark = pytest.mark.anyio

OURS, OTHERS = "https://app.test", "https://elsewhere.test"
PREFLIGHT = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
FHIR = (
    "/fhir/Patient/p",
    "/fhir/Observation?patient=p",
    "/fhir/Observation/nowhere",
    "/fhir/Nonsense",
    "/fhir/Patient?x=y",
)
PUBLIC = (
    "/fhir/metadata",
    "/fhir/.well-known/smart-configuration",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/auth/jwks",
)
FORMS = ("/auth/token", "/auth/introspect", "/auth/revoke")


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def smart() -> AsyncIterator[SmartHouse]:
    async with smart_house() as smart:
        await smart.client(
            redirect_uris=(f"{OURS}/after", "nl.app.phone:/after"), origins=("https://www.app.test:8443",)
        )
        yield smart


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def browser(smart: SmartHouse, seconds: Seconds) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the FHIR surface and the endpoints of the authorization server, as they stand beside each other."""
    cors = Cors(Origins(smart.state, seconds))
    endpoints = AuthorizationEndpoints(smart.server, cors)
    fhir = FhirApplication(smart.house.gateway, registry.load(), smart.server.settings, Metrics(False), cors)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await (endpoints if scope["path"] in endpoints.paths else fhir)(scope, receive, send)

    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as browser:
        yield browser


def allowed(answer: httpx.Response) -> str | None:
    found: str | None = answer.headers.get("access-control-allow-origin")
    return found


@pytest.mark.parametrize("path", PUBLIC)
@pytest.mark.parametrize("origin", [OURS, OTHERS, "null", None])
async def test_line_17_what_is_public_is_for_scripts_of_every_origin(
    browser: httpx.AsyncClient, path: str, origin: str | None
) -> None:
    answer = await browser.get(path, headers={"Origin": origin} if origin else {})
    assert answer.status_code == 200
    assert allowed(answer) == "*"
    if origin:
        asked = await browser.options(path, headers={"Origin": origin, **PREFLIGHT})
        assert (asked.status_code, allowed(asked)) == (204, "*")


@pytest.mark.parametrize("path", FHIR)
async def test_line_17_scripts_of_registered_apps_read_fhir_answers_errors_too(
    browser: httpx.AsyncClient, smart: SmartHouse, path: str
) -> None:
    token = (await smart.issued())["access_token"]
    for bearer in (token, "wrong", None):
        sent = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer = await browser.get(path, headers={"Origin": OURS, **sent})
        assert (bearer == "wrong") == (
            answer.status_code == 401 and "invalid_token" in answer.headers["www-authenticate"]
        )
        assert allowed(answer) == OURS
        assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
        other = await browser.get(path, headers={"Origin": OTHERS, **sent})
        assert other.status_code == answer.status_code
        assert allowed(other) is None


@pytest.mark.parametrize("path", FORMS)
async def test_line_17_scripts_of_registered_apps_read_what_the_endpoints_answer_errors_too(
    browser: httpx.AsyncClient, path: str
) -> None:
    for origin, expected in ((OURS, OURS), (OTHERS, None), ("null", None)):
        for body in ({}, {"client_id": "app", "token": "x"}):
            answer = await browser.post(path, data=body, headers={"Origin": origin})
            assert answer.status_code in (200, 400, 401)
            assert allowed(answer) == expected
        for answer in (
            await browser.get(path, headers={"Origin": origin}),
            await browser.post(path, content=b"\xff", headers={"Origin": origin}),
        ):
            assert answer.status_code in (400, 405)
            assert allowed(answer) == expected


@pytest.mark.parametrize("path", [*FHIR, *FORMS])
async def test_line_17_a_preflight_needs_no_token(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.options(path, headers={"Origin": OURS, **PREFLIGHT})
    assert (answer.status_code, answer.content) == (204, b"")
    assert allowed(answer) == OURS
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    taken = {name.lower() for name in answer.headers["access-control-allow-headers"].split(", ")}
    assert {"authorization", "content-type", "accept", "prefer", "if-match", "if-none-match", "if-none-exist"} <= taken
    assert int(answer.headers["access-control-max-age"]) <= 600


@pytest.mark.parametrize("path", ["/fhir/Patient/p", "/auth/token"])
async def test_line_17_the_preflight_of_another_origin_allows_nothing(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.options(path, headers={"Origin": OTHERS, **PREFLIGHT})
    assert answer.status_code == 204
    assert [name for name in answer.headers if name.startswith("access-control")] == []


async def test_options_that_is_no_preflight_gets_what_it_got_before(browser: httpx.AsyncClient) -> None:
    assert (await browser.options("/fhir/Patient/p", headers={"Origin": OURS})).status_code == 405
    plain = await browser.options("/auth/token")
    assert (plain.status_code, plain.headers["allow"], allowed(plain)) == (204, "POST", None)


@pytest.mark.parametrize("path", [*FHIR, *FORMS, *PUBLIC])
async def test_line_17_a_cache_keeps_the_answers_to_two_origins_apart(browser: httpx.AsyncClient, path: str) -> None:
    for origin in (OURS, OTHERS, None):
        sent = {"Origin": origin} if origin else {}
        for answer in (
            await browser.get(path, headers=sent),
            await browser.options(path, headers={**sent, **PREFLIGHT}),
        ):
            assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", [*FHIR, *FORMS, *PUBLIC])
async def test_line_17_cookies_are_never_asked_for(browser: httpx.AsyncClient, path: str) -> None:
    for answer in (
        await browser.get(path, headers={"Origin": OURS}),
        await browser.options(path, headers={"Origin": OURS, **PREFLIGHT}),
    ):
        assert "access-control-allow-credentials" not in answer.headers


async def test_a_script_can_read_where_what_it_made_is_and_which_version(
    browser: httpx.AsyncClient, smart: SmartHouse
) -> None:
    await smart.house.caller()  # whose token is `token-1`
    made = await browser.post(
        "/fhir/Organization",
        json={"resourceType": "Organization", "name": "x"},
        headers={"Origin": OURS, "Authorization": "Bearer token-1", "Content-Type": "application/fhir+json"},
    )
    assert made.status_code == 201
    exposed = {name.lower() for name in made.headers["access-control-expose-headers"].split(", ")}
    assert {"location", "etag", "last-modified", "content-location", "warning", "retry-after"} <= exposed


@pytest.mark.parametrize("origin", [OURS, "https://www.app.test:8443"])
async def test_line_17_an_app_has_the_origins_of_its_redirect_uris_and_those_it_names(
    browser: httpx.AsyncClient, origin: str
) -> None:
    assert allowed(await browser.get("/fhir/Patient/p", headers={"Origin": origin})) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "https://www.app.test",
        "https://app.test:8443",
        "http://app.test",
        "https://app.test.evil.test",
        "https://evil.app.test",
        "https://app.test/after",
        "nl.app.phone:",
        "nl.app.phone://",
        "",
        "*",
        "https://app.test, https://elsewhere.test",
    ],
)
async def test_line_17_what_only_looks_like_a_registered_origin_is_none(
    browser: httpx.AsyncClient, origin: str
) -> None:
    assert allowed(await browser.get("/fhir/Patient/p", headers={"Origin": origin})) is None


@pytest.mark.parametrize(
    "uri, origin",
    [
        ("https://app.test/after?x=y", "https://app.test"),
        ("https://app.test:443/after", "https://app.test"),
        ("https://app.test:4430/after", "https://app.test:4430"),
        ("http://127.0.0.1:9000/after", "http://127.0.0.1:9000"),
        ("http://localhost:80/after", "http://localhost"),
        ("http://[::1]:9000/after", "http://[::1]:9000"),
        ("nl.app.phone:/after", None),
        ("nl.app.phone://after/there", None),
    ],
)
def test_the_origin_of_a_redirect_uri_is_written_as_browsers_write_it(uri: str, origin: str | None) -> None:
    client = Client(id="a", name="A", kind="public", scope="", redirect_uris=(uri,))
    assert origins(client) == ({origin} if origin else set())


async def test_an_app_that_is_registered_is_known_after_a_second(
    browser: httpx.AsyncClient, smart: SmartHouse, seconds: Seconds
) -> None:
    new = {"Origin": "https://new.test"}
    assert allowed(await browser.get("/fhir/Patient/p", headers=new)) is None
    await smart.client("new", redirect_uris=("https://new.test/after",))
    assert allowed(await browser.get("/fhir/Patient/p", headers=new)) is None
    seconds.now += MISS_SECONDS
    assert allowed(await browser.get("/fhir/Patient/p", headers=new)) == "https://new.test"


async def test_an_origin_that_an_app_gave_up_is_unknown_after_some_seconds(
    browser: httpx.AsyncClient, smart: SmartHouse, seconds: Seconds
) -> None:
    ours = {"Origin": OURS}
    assert allowed(await browser.get("/fhir/Patient/p", headers=ours)) == OURS
    kept = await smart.state.clients.get("app")
    assert kept is not None
    await smart.state.commit(
        smart.state.clients.change(kept, replace(kept.value, redirect_uris=("nl.app.phone:/after",)))
    )
    seconds.now += REFRESH_SECONDS - 0.1
    assert allowed(await browser.get("/fhir/Patient/p", headers=ours)) == OURS
    seconds.now += 0.1
    assert allowed(await browser.get("/fhir/Patient/p", headers=ours)) is None


async def test_origins_that_are_made_up_do_not_make_the_clients_be_read_over_and_over(
    smart: SmartHouse, seconds: Seconds
) -> None:
    origins = Origins(smart.state, seconds)
    await origins.knows(OURS)
    await smart.client("new", redirect_uris=("https://new.test/after",))
    for number in range(5):
        seconds.now += MISS_SECONDS / 10
        assert not await origins.knows(f"https://made-up-{number}.test")
    assert not await origins.knows("https://new.test")  # so they were not read again


async def test_line_17_an_error_of_ours_can_be_read_too(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault injection: both surfaces fail."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("fhir_server.http.dispatch.perform", broken)
    monkeypatch.setattr("fhir_server.http.authorization.token", broken)
    for answer in (
        await browser.get("/fhir/Patient/p", headers={"Origin": OURS}),
        await browser.post("/auth/token", data={"grant_type": "x"}, headers={"Origin": OURS}),
    ):
        assert answer.status_code == 500
        assert allowed(answer) == OURS
