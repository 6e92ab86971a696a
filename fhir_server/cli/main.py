"""The command `wijkdossier`: one subcommand a file, settings as flags or `WIJKDOSSIER_*`."""

import argparse
import sys
from collections.abc import Sequence

from fhir_server.cli import audit, backup, load, reindex, serve, token, validate

COMMANDS = (serve, load, token, validate, audit, reindex, backup)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; the exit status is 0 when everything was done, 1 when something was refused, 2 for misuse."""
    parser = argparse.ArgumentParser(
        prog="wijkdossier", description="A FHIR R4 server where the resident decides who sees the dossier."
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(subparsers)
    chosen = parser.parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except ValueError as error:  # a setting or an argument that is out of range: the message names it
        print(f"wijkdossier: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
