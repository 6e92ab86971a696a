"""The example wijk Heerlen-Hoensbroek: synthetic residents, their dossiers, and the sociale kaart around them."""

from pathlib import Path

WIJK = Path(__file__).parent / "wijk"


def bundle_paths() -> list[Path]:
    """The example bundles in load order: no file refers to something in a later one."""
    return sorted(WIJK.glob("*.json"))
