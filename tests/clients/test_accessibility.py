"""Every page in both languages as WCAG 2.2 (A and AA) wants it, and the way of somebody who has only a keyboard.

https://www.w3.org/TR/WCAG22/, measured with axe-core of npm in a browser.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from examples import bundle_paths
from tests.clients import node
from tests.clients.people import PASSWORD, give_accounts, register, stop_words
from tests.clients.screenshots import LANGUAGES, REDIRECT, SCOPE, asks, register_apps, shots
from tests.live import Live, live, load

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")
# A screen of 640 pixels at 200 % is one of 320; the smallest phone; a phone; a desk.
WIDTHS = (320, 360, 1280)
Stop = dict[str, Any]


@pytest.fixture(scope="module")
def wijk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The example wijk, with people who can log in, for these pages alone: no app was let in yet."""
    node.require("axe-core")
    node.require_browser()
    data: Path = tmp_path_factory.mktemp("accessibility") / "data"
    load(data, bundle_paths())
    give_accounts(data)
    with live(data) as served:
        yield served


@pytest.fixture(scope="module")
def pages(wijk: Live) -> list[dict[str, Any]]:
    """What was found of every page, in every language."""
    site = wijk.url.removesuffix("/fhir")
    told = [asdict(shot) for shot in shots(site, register_apps(wijk.data))]
    found: list[dict[str, Any]] = node.run("accessibility.mjs", 400, chromium=node.browser(), site=site, shots=told,
                                           languages=LANGUAGES, widths=WIDTHS, tags=TAGS)  # fmt: skip
    assert len(found) == len(told) * len(LANGUAGES) > 40
    return found


def test_axe_finds_nothing_on_any_page(pages: list[dict[str, Any]]) -> None:
    wrong = [f"{one['name']} {one['language']}: {what}" for one in pages for what in one["violations"]]
    assert wrong == []


def test_nothing_is_wider_than_the_screen_with_big_letters_or_colours_of_ones_own(pages: list[dict[str, Any]]) -> None:
    assert [f"{one['name']} {one['language']}: {what}" for one in pages for what in one["wide"]] == []


def test_every_page_says_its_language_and_has_one_heading_and_a_title_of_its_own(pages: list[dict[str, Any]]) -> None:
    for one in pages:
        assert one["lang"] == one["language"], one["name"]
        assert len(one["headings"]) == 1, one["name"]
    headings: dict[str, set[str]] = {}
    # The start page says hello by name, which is no matter for a title.
    for one in (page for page in pages if not page["name"].startswith("home")):
        headings.setdefault(one["title"], set()).add(one["headings"][0])
    assert {title: found for title, found in headings.items() if len(found) > 1} == {}


def test_no_sentence_is_in_the_other_language(pages: list[dict[str, Any]]) -> None:
    """By words that every second sentence has, and no name of the wijk."""
    others = {
        "en": "u uw hebt heeft mag kunt niet deze om voor dat wie",
        "nl": "you your has may can not this on for that who",
    }
    for one in pages:
        said = {word.strip(".,:;?!()“”‘’").lower() for word in one["text"].split()}
        assert said.isdisjoint(others[one["language"]].split()), (one["name"], one["language"])


def test_what_is_wrong_has_the_focus_and_stands_in_the_title(pages: list[dict[str, Any]]) -> None:
    wrong = [one for one in pages if one["alerts"]]
    assert {one["name"] for one in wrong} >= {"login-wrong", "error", "error-unknown-app"}
    for one in wrong:
        assert one["focused"] == "alert", one["name"]
        # A page of which nothing else is left says so as a whole.
        told = {"nl": ("Let op: ", "Dat ging niet"), "en": ("Note: ", "That did not work")}[one["language"]]
        assert one["title"].startswith(told), one["name"]


@pytest.mark.parametrize("colours", ["none", "active"])
def test_a_resident_lets_an_app_in_and_stops_it_by_keyboard_alone(wijk: Live, colours: str) -> None:
    name = f"Toetsenbord {colours}"
    app = register(wijk.data, name=name, kind="public", scope=SCOPE, redirect_uris=(REDIRECT,))
    site = wijk.url.removesuffix("/fhir")
    found: dict[str, Any] = node.run(
        "keyboard.mjs",
        120,
        chromium=node.browser(),
        asks=asks(site, app.client.id),
        redirect=REDIRECT,
        apps=f"{site}/portal/apps",
        stop=stop_words(name),
        username="annie",
        password=PASSWORD,
        colours=colours,
    )
    assert found["skip"]["name"] == "Naar de inhoud"
    assert found["skip"]["shown"], "the skip link is seen once it has the focus"
    assert found["skipped"] == "content"
    assert [stop["field"] for stop in found["login"]] == ["username"], "it skips the header"
    assert (found["wrong"]["id"], found["wrong"]["role"]) == ("wrong", "alert")
    assert [stop["described"] for stop in found["again"]] == ["wrong", "wrong"]
    assert found["unticked"] == ["allergies", "consents", "log"]
    assert found["duration"] == "months"
    assert found["left"].startswith(REDIRECT)
    assert "code=" in found["left"]
    assert found["stopped"] == "Gestopt"
    screen: list[Stop] = found["screen"]
    assert [stop["value"] for stop in screen[-2:]] == ["refuse", "allow"], "refusing takes one step less"
    # Down the page, and never under something else or without a mark.
    inside = [stop["y"] for stop in screen if stop["main"]]
    assert inside == sorted(inside)
    walked = [*found["login"], *found["again"], *screen, *found["apps"], *found["stop"], found["skip"]]
    assert [stop["name"] for stop in walked if not (stop["outlined"] and stop["shown"])] == []
    assert len(set(found["titles"])) == len(found["titles"]), "every page on the way has another title"
