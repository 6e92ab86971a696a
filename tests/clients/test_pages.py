"""Every page on the smallest phone, in a browser: nothing is cut off, refused by our own policy, or fetched from elsewhere."""

from dataclasses import asdict
from pathlib import Path

from tests.clients import node
from tests.clients.screenshots import register_apps, shots
from tests.live import Live


def test_no_page_is_wider_than_a_small_phone_nor_asks_for_what_it_may_not_have(town: Live, tmp_path: Path) -> None:
    chromium = node.require_browser()
    site = town.url.removesuffix("/fhir")
    told = [asdict(shot) for shot in shots(site, register_apps(town.data))]
    assert len(told) > 20
    problems = node.run("screenshots.mjs", 240, chromium=chromium, site=site, folder=str(tmp_path), widths=[320],
                        languages=["nl"], shots=told)  # fmt: skip
    assert problems == []
