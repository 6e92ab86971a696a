"""EHR launch: a handle that holds nothing, for one app, one person and their login, once."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fhir_server.smart import grants, launches
from fhir_server.smart.grants import Asked
from fhir_server.smart.records import Client, Login, digest
from fhir_server.smart.state import Kept
from fhir_server.store.auth import AuthConflict
from tests.fhir_server.smart.house import ADDRESSES, SECOND, SmartHouse
from tests.fhir_server.smart.letting_in import app, choice, login, waits

pytestmark = pytest.mark.anyio

START = "http://127.0.0.1:9/start?x=1"


async def launched(smart: SmartHouse, client: Client, who: Kept[Login], **more: Any) -> str:
    """The handle in the URL at which the app starts."""
    url = await launches.launch(smart.server, client, who, "p", ADDRESSES, **more)
    assert url.startswith(f"{START}&")
    said = parse_qs(urlsplit(url).query)
    assert said["iss"] == [ADDRESSES.base]
    (handle,) = said["launch"]
    return handle


async def test_line_6_a_handle_is_opaque_and_kept_as_its_digest_only(smart: SmartHouse) -> None:
    client = await app(smart, launch_uri=START)
    handle = await launched(smart, client, await login(smart))
    assert len(handle) >= 43
    (kept,) = await smart.state.launches.all()
    assert kept.key == digest(handle)
    assert handle not in str(kept)
    assert "app launched" in await smart.log()


async def test_line_6_a_handle_is_for_one_app_one_person_and_one_login(smart: SmartHouse) -> None:
    client, other = await app(smart, launch_uri=START), await app(smart, "other")
    who = await login(smart)
    handle = await launched(smart, client, who)
    assert await launches.find(smart.server, handle, other) is None
    assert await launches.find(smart.server, None, client) is None
    assert await launches.find(smart.server, handle + "x", client) is None
    found = await launches.find(smart.server, handle, client)
    assert found is not None
    assert launches.bound_to(found.value, who)
    assert not launches.bound_to(found.value, await login(smart))
    same_browser = Kept(who.key, 2, "", 0, Login(account="a", username="u", name="n", people=(), person="Patient/q",
                                                since=0, expires=0))  # fmt: skip
    assert not launches.bound_to(found.value, same_browser)


async def test_line_6_a_handle_works_for_five_minutes(smart: SmartHouse) -> None:
    client = await app(smart, launch_uri=START)
    handle = await launched(smart, client, await login(smart))
    smart.house.clock.now += launches.LAUNCH_SECONDS * SECOND
    assert await launches.find(smart.server, handle, client) is None


@pytest.mark.parametrize("answer", ["allow", "refuse"])
async def test_line_6_a_handle_works_once_whatever_the_answer(smart: SmartHouse, answer: str) -> None:
    client, who = await app(smart, launch_uri=START), await login(smart)
    handle = await launched(smart, client, who)
    requests = []
    for _ in range(2):
        launch = await launches.find(smart.server, handle, client)
        assert launch is not None
        asked = await waits(smart, client, "launch patient/Observation.rs", launch=launch.key)
        requests.append(Asked(asked.authorization, client, launch))
    ticked = choice("measurements laboratory")
    if answer == "allow":
        await grants.let_in(smart.server, requests[0], who, ticked)
    else:
        await grants.refuse(smart.server, requests[0], who)
    assert await launches.find(smart.server, handle, client) is None
    with pytest.raises(AuthConflict):
        await grants.let_in(smart.server, requests[1], who, ticked)


async def test_line_6_the_token_answer_tells_of_the_launch(smart: SmartHouse) -> None:
    client, who = await app(smart, launch_uri=START), await login(smart)
    context = [{"reference": "Observation/p1"}, {"reference": "Encounter/1", "role": "https://roles.test/last"}]
    handle = await launched(smart, client, who, context=context, banner=False)
    launch = await launches.find(smart.server, handle, client)
    assert launch is not None
    asked = await waits(smart, client, "launch patient/Observation.rs", launch=launch.key)
    location = await grants.let_in(
        smart.server, Asked(asked.authorization, client, launch), who, choice("measurements")
    )
    answer = await smart.redeem(parse_qs(urlsplit(location).query)["code"][0])
    assert answer["patient"] == "p"
    assert answer["need_patient_banner"] is False
    assert answer["fhirContext"] == context
    assert answer["smart_style_url"] == f"{ADDRESSES.issuer}/portal/static/smart-style.json"


@pytest.mark.parametrize(
    "item",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"type": "Observation"}, id="nothing but a type"),
        pytest.param({"reference": "Patient/p"}, id="a patient"),
        pytest.param({"reference": "https://wijk.test/fhir/Encounter/1"}, id="an encounter elsewhere"),
        pytest.param({"reference": "Encounter/1/_history/1"}, id="a version of an encounter"),
        pytest.param({"identifier": {"value": "1"}, "type": "Encounter"}, id="an encounter by identifier"),
        pytest.param({"reference": "Encounter/1", "role": "launch"}, id="an encounter that says its role"),
        pytest.param({"reference": "Observation/p1", "role": ""}, id="an empty role"),
        pytest.param({"reference": "Observation/p1", "role": "latest"}, id="a role of no standard"),
    ],
)
async def test_line_6_what_has_no_place_in_the_context_is_not_launched_with(
    smart: SmartHouse, item: dict[str, Any]
) -> None:
    client, who = await app(smart, launch_uri=START), await login(smart)
    with pytest.raises(ValueError, match="fhirContext"):
        await launched(smart, client, who, context=[{"reference": "Observation/p1"}, item])
    assert await smart.state.launches.all() == []


async def test_an_app_without_a_launch_uri_cannot_be_launched(smart: SmartHouse) -> None:
    with pytest.raises(ValueError, match="launch_uri"):
        await launches.launch(smart.server, await app(smart), await login(smart), "p", ADDRESSES)
