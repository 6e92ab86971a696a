"""Two servers asked the same, and their answers without what differs between any two: made ids, times, cursors."""

import asyncio
import base64
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_server.gateway.stored_text import instant
from fhir_server.gateway.tokens import Terms
from tests.adversary.surface import Answer, Ask, Change, Surface, folder_settings, furnish, running

Batch = Sequence[Change]
PAGES_MAX = 5
_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d(:|%3A)\d\d(:|%3A)\d\d\.\d{3}Z")
_CURSOR = re.compile(rb"_cursor=[A-Za-z0-9_%-]{24,}")
_VERSION = re.compile(
    rb'"versionId":"\d+"|<versionId value="\d+"/>|"etag":"W/\\"\d+\\""|W/(?:"|&quot;)\d+(?:"|&quot;)|/_history/\d+'
)
# How a version came to be: of the first that is in view, its number says whether it was created or updated.
_ORIGIN = re.compile(
    rb'"request":\{"method":"(?:PUT|POST)","url":"[^"]*"\},"response":\{"status":"\d+"'
    rb'|<request><method value="(?:PUT|POST)"/><url value="[^"]*"/></request><response><status value="\d+"/>'
)
# And so do the Provenances that the server makes.
_ACTIVITY = re.compile(rb'"activity":\{.*?\}\]\}|<activity>.*?</activity>')
_AUDITED_QUERY = re.compile(rb'"query":"([A-Za-z0-9+/=]+)"')
_NEXT = re.compile(rb'"relation":"next","url":"http://wijk.test/fhir([^"]*)"')
_MADE = re.compile(r"\{made(\d)\}")
_MOMENT = re.compile(r"\{time(\d+)\}")
_SECRET = re.compile(rb'"name":"access_token","valueString":"[^"]*"|"name":"expires_in","valueInteger":\d+')
_BY_VERSION = re.compile(r"_history/\d|_at=|ifMatch|ifNoneMatch")
TOKENS: Mapping[str, Terms] = {
    "operator": Terms(user="system", client="operator", scope="system/*.cruds"),
    "patient": Terms(user="Patient/resident-a", client="portal", scope="patient/*.cruds"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """What befell two servers: `bare` is `full` without what is hidden from whoever asks (None: without a token).

    `marks` must not be told; of the ids in `renumbered` the earlier versions are hidden, so that their numbers differ.
    """

    full: Sequence[Batch]
    bare: Sequence[Batch]
    terms: Terms | None
    base_policy: str
    marks: Sequence[str] = ()
    renumbered: Sequence[str] = ()

    def tells(self, ask: Ask) -> bool:
        """Whether the question is about the numbers of versions that differ from one server to the other."""
        text = f"{ask.target} {ask.content.decode('utf-8', 'replace')}"
        by_version = _BY_VERSION.search(text) or any(
            name.startswith("if-") and "W/" in value for name, value in ask.headers
        )
        if "_at=" in text and self.renumbered:
            return True
        return bool(by_version) and any(id in text for id in self.renumbered)


@dataclass(frozen=True, slots=True)
class Turn:
    """A change in the middle of a run: what the requester asks first, and what `who` (one of TOKENS) then asks for.

    `on_bare`: whether it is asked of both servers; one that never had the resource is not asked to change it.
    """

    before: Sequence[Ask]
    who: str
    ask: Ask
    on_bare: bool = True


class Side:
    """One of the two servers as the requester meets it; remembers what stands for the placeholders of `questions`."""

    def __init__(self, surface: Surface, tokens: Mapping[str, str], foreign: str, moments: list[int]) -> None:
        self._surface = surface
        self._tokens = tokens
        self._token = tokens.get("requester", "")
        self._foreign = foreign
        self._moments = moments
        self._made: list[str] = []
        self._cursor = "AAAA"

    @property
    def complaints(self) -> list[str]:
        return self._surface.complaints.said

    async def ask(self, ask: Ask) -> Answer:
        content = ask.content
        filled = Ask(
            ask.method,
            self._fill(ask.target),
            self._fill(content.decode()).encode() if b"{" in content else content or None,
            tuple((name, self._fill(value)) for name, value in ask.headers),
        )
        answer = await self._surface.ask(filled, self._token)
        location = answer.headers.get("location", "")
        if answer.status == 201 and location:
            self._made.append(location.split("/")[-3])
        following = self.next(answer)
        if following:
            self._cursor = following.partition("_cursor=")[2].partition("&")[0]
        return answer

    async def turn(self, change: "Turn", name: str) -> None:
        """Ask what is asked before the change, and then change it."""
        for ask in change.before:
            await self.ask(ask)
        if name == "bare" and not change.on_bare:
            return
        answer = await self._surface.ask(change.ask, self._tokens[change.who])
        assert answer.status in (200, 201, 204), f"{answer.status} {answer.body[:500]!r} to {change.ask}"

    @staticmethod
    def next(answer: Answer) -> str:
        found = _NEXT.search(answer.body)
        return json.loads(b'"%b"' % found[1]) if found else ""

    def _fill(self, text: str) -> str:
        text = text.replace("{cursor}", self._cursor).replace("{foreign}", self._foreign)
        text = _MADE.sub(lambda found: (self._made[int(found[1]) :] or ["not-made-yet"])[0], text)
        return _MOMENT.sub(lambda found: instant(self._moments[min(int(found[1]), len(self._moments) - 1)]), text)


class Template:
    """The furnished folders of a pair of servers, copied afresh for each run, so that each run starts from the same."""

    def __init__(self, folder: Path, pair: Pair) -> None:
        self._folder = folder
        self._pair = pair
        terms = {**TOKENS, **({"requester": pair.terms} if pair.terms else {})}
        self._tokens: dict[str, Mapping[str, str]] = {}
        self._moments: dict[str, list[int]] = {}
        for name, batches in (("full", pair.full), ("bare", pair.bare)):
            told = asyncio.run(furnish(self._settings(name), batches, terms))
            self._tokens[name] = told.tokens
            self._moments[name] = told.moments
        self._runs = 0

    def _settings(self, name: str) -> Any:
        return folder_settings(self._folder / name, base_policy=self._pair.base_policy)

    async def compare(
        self, asks: Sequence[Ask], change: Turn | None = None, *, quiet: bool = True
    ) -> list[tuple[str, int]]:
        """Ask both; raises AssertionError at the first difference. The (method, status) of each answer.

        `change`: what is asked before it is not compared, what is asked after it is. `quiet`: nor does a server log that
        it caught itself at something, such as a query and a decision that disagree.
        """
        self._runs += 1
        async with AsyncExitStack() as stack:
            sides = []
            for name in ("full", "bare"):
                copy = f"run-{self._runs}-{name}"
                shutil.copytree(self._folder / name, self._folder / copy)
                stack.callback(shutil.rmtree, self._folder / copy)
                surface = await stack.enter_async_context(running(self._settings(copy)))
                sides.append(await self.side(surface, name))
            if change is not None:
                for one, name in zip(sides, ("full", "bare"), strict=True):
                    await one.turn(change, name)
            return await self._ask_all(asks, *sides, quiet=quiet)

    async def compare_live(self, asks: Sequence[Ask], full: Surface, bare: Surface) -> list[tuple[str, int]]:
        """As compare, where the two run already."""
        return await self._ask_all(asks, await self.side(full, "full"), await self.side(bare, "bare"), quiet=True)

    async def _ask_all(self, asks: Sequence[Ask], full: Side, bare: Side, *, quiet: bool) -> list[tuple[str, int]]:
        answered = []
        for ask in asks:
            if not self._pair.tells(ask):
                answered.append(await self._compare(ask, full, bare))
                for one in (full, bare):
                    assert not (quiet and one.complaints), f"{one.complaints} after {ask}"
        return answered

    async def side(self, surface: Surface, name: str) -> Side:
        """The requester before one of the two servers."""
        tokens = self._tokens[name]
        page = await surface.ask(Ask("GET", "/Organization?_count=1"), tokens["operator"])
        # A world that was cut down may have no second page of anything.
        foreign = Side.next(page).partition("_cursor=")[2] or "AAAA"
        return Side(surface, tokens, foreign, self._moments[name])

    def check(self, asks: list[Ask], change: Turn | None = None) -> None:
        """Compare; raises AssertionError that says what is left of the questions once those that do not matter are out."""
        seen = self.difference(asks, change)
        if seen is None:
            return
        fewest = self.fewest(asks, change)
        first = "".join(f"\nafter {ask}" for ask in fewest[:-1])
        raise AssertionError(f"{self.difference(fewest, change) or f'seen once, and not again: {seen}'}{first}")

    def fewest(self, asks: Sequence[Ask], change: Turn | None = None) -> list[Ask]:
        """The questions that are left of those which tell the two apart, once those that do not matter are out."""
        shorter = (list(asks[:length]) for length in range(1, len(asks)))
        left = next((few for few in shorter if self.difference(few, change)), list(asks))
        for ask in left[:-1]:
            fewer = [one for one in left if one is not ask]
            if self.difference(fewer, change):
                left = fewer
        return left

    def difference(self, asks: Sequence[Ask], change: Turn | None = None) -> str | None:
        """What compare says."""
        try:
            asyncio.run(self.compare(asks, change))
        except AssertionError as error:
            return str(error)
        return None

    async def _compare(self, ask: Ask, full: Side, bare: Side) -> tuple[str, int]:
        told, expected = await full.ask(ask), await bare.ask(ask)
        status = told.status
        self._same(ask, told, expected, "")
        for page in range(2, PAGES_MAX + 2):
            following, expected_following = full.next(told), bare.next(expected)
            assert bool(following) == bool(expected_following), f"a next link after page {page - 1} of {ask}"
            if not following:
                break
            told, expected = await full.ask(Ask("GET", following)), await bare.ask(Ask("GET", expected_following))
            self._same(ask, told, expected, f"page {page} of ")
        return ask.method, status

    def _same(self, ask: Ask, told: Answer, expected: Answer, what: str) -> None:
        assert told.status < 500, f"{told.status} to {what}{ask}"
        loose = any(id in f"{ask.target}{told.body!r}{expected.body!r}" for id in self._pair.renumbered)
        got, wanted = normal(told, loose), normal(expected, loose)
        assert got == wanted, f"{what}{ask}: {difference(got, wanted)}"
        asked = f"{ask.target}{ask.content.decode()}{ask.headers}"
        text = f"{told.body!r}{told.headers}"
        for mark in self._pair.marks:
            # One mark may be the beginning of another.
            told_of = re.search(re.escape(mark) + r"(?![\w-])", text)
            assert told_of is None or mark in asked, f"{what}{ask} told {mark}"


def difference(got: object, wanted: object) -> str:
    """Where two answers part, with a little of what stands around it."""
    told, expected = repr(got), repr(wanted)
    at = next((n for n, (one, other) in enumerate(zip(told, expected)) if one != other), min(len(told), len(expected)))
    around = slice(max(0, at - 120), at + 160)
    return f"full …{told[around]}… bare …{expected[around]}…"


def normal(answer: Answer, loose: bool) -> tuple[int, bytes, list[tuple[str, bytes]]]:
    """`loose`: versions are not compared, as what was hidden of a resource's past counts in them."""
    headers = [
        (name, _plain(value.encode("latin-1"), loose))
        for name, value in answer.headers.items()
        if name not in ("last-modified", "content-length")
    ]
    return answer.status, _plain(answer.body, loose), headers


def _plain(text: bytes, loose: bool) -> bytes:
    text = _AUDITED_QUERY.sub(lambda found: b'"query":"' + base64.b64decode(found[1]) + b'"', text)
    text = _SECRET.sub(b"SECRET", text)
    for pattern, sign in ((_UUID, b"ID"), (_TIME, b"TIME"), (_CURSOR, b"CURSOR")):
        text = pattern.sub(sign, text)
    return _ACTIVITY.sub(b"ACTIVITY", _ORIGIN.sub(b"ORIGIN", _VERSION.sub(b"VERSION", text))) if loose else text
