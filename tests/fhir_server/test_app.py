"""What a worker is made of, joined: FHIR, the endpoints of the authorization server, the portal, health."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from fhir_server.app import Application
from fhir_server.settings import Settings
from fhir_server.smart.assertions import ASSERTION_TYPE
from tests.live import Live, command, live
from tests.performance.server_process import serving

pytestmark = pytest.mark.anyio

APP = "https://app.test"
PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.fixture
async def anyone(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    application = Application(Settings(data=tmp_path, base_url="https://dossier.test/fhir"))
    transport = httpx.ASGITransport(app=application)
    async with (
        application._api.router.lifespan_context(application._api),
        httpx.AsyncClient(transport=transport, base_url="https://dossier.test") as client,
    ):
        yield client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that knows an app with the origin APP."""
    data = tmp_path_factory.mktemp("app") / "data"
    with live(data) as server:
        command(
            "client",
            "add",
            "--data",
            str(data),
            "--name",
            "App",
            "--redirect-uri",
            f"{APP}/after",
            "--scope",
            "patient/*.rs",
        )
        yield server


@pytest.mark.parametrize(
    "path, content",
    [
        ("/fhir/metadata", "application/fhir+json"),
        ("/fhir/.well-known/smart-configuration", "application/json"),
        ("/.well-known/openid-configuration", "application/json"),
        ("/.well-known/oauth-authorization-server", "application/json"),
        ("/auth/jwks", "application/json"),
        ("/portal/login", "text/html"),
        ("/health/live", "application/json"),
        ("/metrics", "application/openmetrics-text"),
    ],
)
async def test_every_surface_is_there(anyone: httpx.AsyncClient, path: str, content: str) -> None:
    answer = await anyone.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(content)


async def test_what_only_looks_like_an_endpoint_is_none(anyone: httpx.AsyncClient) -> None:
    for path in ("/auth/token/", "/auth/tokens", "/auth", "/fhirx/.well-known/smart-configuration", "/.well-known/x"):
        assert (await anyone.post(path)).status_code in (404, 405), path
    assert (await anyone.get("/fhir/.well-known/other")).status_code == 404


async def test_line_1_discovery_says_the_public_address(anyone: httpx.AsyncClient) -> None:
    told = (await anyone.get("/fhir/.well-known/smart-configuration", headers={"Host": "evil.test"})).json()
    assert told["issuer"] == "https://dossier.test"
    assert told["token_endpoint"] == "https://dossier.test/auth/token"


def test_line_17_scripts_of_a_registered_app_reach_what_they_need_over_http(server: Live) -> None:
    with httpx.Client(base_url=server.url.removesuffix("/fhir"), timeout=30) as browser:
        for path in ("/fhir/Patient/x", "/auth/token", "/auth/revoke"):
            asked = browser.options(path, headers=PREFLIGHT)
            assert (asked.status_code, asked.headers.get_list("access-control-allow-origin")) == (204, [APP]), path
        for answer in (
            browser.get("/fhir/Patient/x", headers={"Origin": APP}),
            browser.get("/fhir/Patient/x", headers={"Origin": APP, "Authorization": "Bearer wrong"}),
            browser.post("/auth/token", data={"grant_type": "x"}, headers={"Origin": APP}),
        ):
            assert answer.status_code >= 400
            assert answer.headers.get_list("access-control-allow-origin") == [APP]


@pytest.mark.parametrize(
    "path",
    [
        "/auth/authorize",
        "/portal/",
        "/portal/login",
        "/portal/apps",
        "/portal/static/style.css",
        "/",
        "/metrics",
        "/health/ready",
    ],
)
def test_line_17_no_script_of_another_origin_reads_the_pages_people_see(server: Live, path: str) -> None:
    with httpx.Client(base_url=server.url.removesuffix("/fhir"), timeout=30) as browser:
        for answer in (
            browser.get(path, headers={"Origin": APP}),
            browser.post(path, headers={"Origin": APP}, data={"a": "b"}),
            browser.options(path, headers=PREFLIGHT),
        ):
            assert [name for name in answer.headers if name.startswith("access-control")] == []
            assert answer.status_code < 500


def test_line_18_nothing_that_was_sent_is_in_the_output_of_the_server(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Tokens, codes, secrets and assertions, in forms, in headers and in addresses: not in what the server prints, not in
    the audit log, not in the metrics.
    """
    secrets = {"code": "Geheim-1", "client_secret": "Geheim-2", "refresh_token": "Geheim-3", "token": "Geheim-4"}
    assertion = {"client_assertion": "Geheim-5", "client_assertion_type": ASSERTION_TYPE}
    data = tmp_path / "data"
    arguments = ("-m", "fhir_server.cli.main", "serve", "--data", str(data))
    with (tmp_path / "printed").open("wb") as output, serving(arguments, "/health/ready", output=output) as process:
        base = f"http://{process.host}:{process.port}"
        for path in ("/auth/token", "/auth/introspect", "/auth/revoke", "/auth/register", "/auth/authorize"):
            for grant in ("authorization_code", "refresh_token", "client_credentials"):
                for form in (secrets, assertion):
                    httpx.post(base + path, data={"grant_type": grant, **form}, params=secrets, auth=("a", "Geheim-6"))
        for header in ({}, {"Authorization": "Bearer Geheim-7"}):
            httpx.get(f"{base}/fhir/Patient", params={"access_token": "Geheim-8"}, headers=header)
            httpx.get(f"{base}/fhir/Patient", headers=header)
            httpx.get(f"{base}/auth/authorize", params=secrets)
        told = command("audit", "--data", str(data)) + httpx.get(f"{base}/metrics").text
    assert "Geheim" not in told + (tmp_path / "printed").read_text() + capfd.readouterr().err
