"""Pictures of the pages in both languages, on a phone and on a desk: `python -m tests.clients.screenshots [FOLDER]`.

They are made on the example wijk and written to build/screenshots; what a visitor would stumble over is printed.
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from examples import bundle_paths
from tests.clients import node
from tests.clients.people import PASSWORD, give_accounts
from tests.clients.visitor import Visitor
from tests.live import live, load

WIDTHS: Final = (360, 1280)
LANGUAGES: Final = ("nl", "en")


@dataclass(frozen=True, slots=True)
class Shot:
    """A page, as who has these cookies sees it."""

    name: str
    path: str
    cookies: dict[str, str] = field(default_factory=dict)


def shots(site: str) -> Iterator[Shot]:
    yield Shot("login", "/portal/login")
    with logged_in(site, "vaessen") as mother:
        yield Shot("person", "/portal/person", mother.cookies)
    with logged_in(site, "annie") as annie:
        yield Shot("home", "/portal/", annie.cookies)
        yield Shot("account", "/portal/account", annie.cookies)
        yield Shot("error", "/portal/nowhere", annie.cookies)


def logged_in(site: str, username: str) -> Visitor:
    visitor = Visitor(site)
    visitor.open("/portal/login")
    visitor.fill("Gebruikersnaam", username)
    visitor.fill("Wachtwoord", PASSWORD)
    visitor.press("Inloggen")
    return visitor


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        data = Path(name) / "data"
        load(data, bundle_paths())
        give_accounts(data)
        with live(data) as served:
            site = served.url.removesuffix("/fhir")
            told = [asdict(shot) for shot in shots(site)]
            problems = node.run("screenshots.mjs", 300, chromium=node.browser(), site=site, folder=str(folder),
                                widths=WIDTHS, languages=LANGUAGES, shots=told)  # fmt: skip
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots")))
