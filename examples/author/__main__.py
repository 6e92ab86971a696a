"""`python -m examples.author` writes examples/wijk/*.json anew.

https://hl7.org/fhir/R4/bundle.html
"""

from examples import WIJK
from examples.author.files import files


def main() -> None:
    WIJK.mkdir(exist_ok=True)
    written = files()
    for name, content in written.items():
        (WIJK / name).write_bytes(content)
    for path in WIJK.glob("*.json"):
        if path.name not in written:
            path.unlink()


main()
