"""The lock that matters most: every route, every kind of requester, a dossier that none of them may see.

Non-interference: a server that holds the hidden resources and one that never had them answer every request alike,
generated ids and times aside; and no answer carries the marker.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest

from fhir_server.interactions.routes import ROUTES
from profiles import registry
from tests.fhir_server.gateway.sweep_table import BASE64_MARKER, GONE, HIDDEN, MARKER, OWNER, PLACES, PUBLIC, TABLE
from tests.fhir_server.inprocess import Answer, Caller, House, opened

pytestmark = pytest.mark.anyio

# AuditEvents are the operator's to read, and an honest log tells of the preparation of this very test.
ALL_BUT_THE_LOG = " ".join(f"system/{name}.cruds" for name in registry.load().resource_types if name != "AuditEvent")

REQUESTERS: Mapping[str, dict[str, Any] | None] = {
    "nobody": None,
    "resident": {"user": "Patient/me", "scope": "patient/*.cruds"},
    "resident with user scopes": {"user": "Patient/me", "scope": "user/*.cruds"},
    "practitioner": {"user": "Practitioner/doctor", "scope": "user/*.cruds"},
    "practitioner launched on the hidden patient": {
        "user": "Practitioner/doctor",
        "scope": "patient/*.cruds",
        "patient": OWNER,
    },
    "related person": {"user": "RelatedPerson/r", "scope": "patient/*.cruds user/*.cruds", "patient": OWNER},
    "organization": {"user": "Organization/shop", "scope": "user/*.cruds"},
    "system": {"user": "system", "scope": ALL_BUT_THE_LOG},
    "token without scopes": {"user": "Practitioner/doctor", "scope": "openid"},
}
_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_CURSOR = re.compile(rb"_cursor=[A-Za-z0-9_%-]+")
_TOKEN = re.compile(rb'"access_token","valueString":"[A-Za-z0-9_-]+"')


def test_every_route_is_in_the_table() -> None:
    assert {(route.method, route.pattern) for route in ROUTES} == set(TABLE)


@pytest.mark.parametrize("kind", REQUESTERS)
async def test_no_answer_betrays_what_is_hidden(kind: str) -> None:
    async with opened() as full, opened() as bare:
        await furnish(full, hidden=True)
        await furnish(bare, hidden=False)
        before = await versions(full)
        in_full, in_bare = await caller(full, kind), await caller(bare, kind)
        for (method, pattern), questions in TABLE.items():
            for url, body, headers in questions():
                told, expected = await asyncio.gather(
                    in_full(method, url, body, **headers), in_bare(method, url, body, **headers)
                )
                what = f"{kind}: {method} {url} {body if isinstance(body, dict) else ''} ({pattern})"
                assert told.status < 500, what
                assert normal(told) == normal(expected), what
                assert MARKER not in without_echo(told, url, body), what
                assert BASE64_MARKER not in told.text.decode(), what
                await follow(in_full, in_bare, told, expected, what)
        assert await versions(full) == before, "what is hidden was changed"


async def test_the_owner_does_see_it_all() -> None:
    """The sweep would pass on an empty house: this one shows that there is something to find."""
    async with opened() as house:
        await furnish(house, hidden=True)
        owner = await house.caller(f"Patient/{OWNER}", "patient/*.rs")
        for type, id in PLACES:
            answer = await owner.get(f"{type}/{id}")
            if (type, id) == GONE:
                assert answer.status == 410
            elif type in ("Subscription", "MessageHeader") or id == "h-both":
                assert answer.status == 404
            else:
                assert (answer.status, MARKER in answer.text.decode() or type == "Binary") == (200, True), (type, id)


async def test_hidden_and_absent_are_one_and_the_same_byte_for_byte() -> None:
    async with opened() as house:
        await furnish(house, hidden=True)
        me = await caller(house, "resident")
        for type, id in PLACES:
            for url in ("{}/{}", "{}/{}/_history", "{}/{}/_history/1", "{}/{}/$meta"):
                hidden, absent = await me.get(url.format(type, id)), await me.get(url.format(type, "absent"))
                assert (hidden.status, hidden.text, hidden.headers) == (absent.status, absent.text, absent.headers)


async def furnish(house: House, *, hidden: bool) -> None:
    await house.given(*PUBLIC)
    if hidden:
        await house.given(*HIDDEN)
        await house.maintenance.write("delete", "", lambda unit: unit.delete(*GONE))


async def caller(house: House, kind: str) -> Caller:
    terms = REQUESTERS[kind]
    return house.anonymous() if terms is None else await house.caller(**terms)


async def versions(house: House) -> list[int]:
    async with house.store.snapshot() as snapshot:
        return [stored.version for type, id in PLACES if (stored := await snapshot.read(type, id)) is not None]


async def follow(full: Caller, bare: Caller, told: Answer, expected: Answer, what: str) -> None:
    """Turn the pages, a few of them: a log that is read grows with every page of it."""
    for _ in range(4):
        if not told.text.startswith(b'{"resourceType":"Bundle"'):
            return
        next_told, next_expected = told.link("next"), expected.link("next")
        assert (next_told is None) == (next_expected is None), what
        if next_told is None or next_expected is None:
            return
        told, expected = await full.get(next_told), await bare.get(next_expected)
        assert normal(told) == normal(expected), f"a later page of {what}"
        assert MARKER not in told.text.decode(), f"a later page of {what}"


def normal(answer: Answer) -> tuple[int, bytes, list[tuple[str, str]]]:
    """The answer without what differs between any two servers: generated ids, times and the seals of cursors."""
    text = answer.text
    for pattern, sign in ((_UUID, b"ID"), (_TIME, b"TIME"), (_CURSOR, b"CURSOR"), (_TOKEN, b"TOKEN")):
        text = pattern.sub(sign, text)
    headers = [
        (name, _UUID.sub(b"ID", value.encode()).decode())
        for name, value in answer.headers.items()
        if name != "Last-Modified"
    ]
    return answer.status, text, headers


def without_echo(answer: Answer, url: str, body: Any) -> str:
    """Text and headers, without the self link: it repeats what was asked, and who asked knew that."""
    text = f"{answer.text.decode()} {answer.headers}"
    if MARKER in f"{url} {body!r}":
        text = re.sub(r'"relation":"self","url":"[^"]*"', "", text)
    return text
