"""The command `wijkdossier`: one subcommand a file, settings as flags or `WIJKDOSSIER_*`."""

import argparse
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence

from fhir_server.cli import account, audit, backup, client, keys, load, reindex, serve, token, validate
from fhir_server.store.sqlite.schema import NewerSchema

COMMANDS = (serve, load, account, client, keys, token, validate, audit, reindex, backup)


def parser() -> argparse.ArgumentParser:
    """The parser with every subcommand; what it parses carries the function to call as `run`."""
    found = argparse.ArgumentParser(
        prog="wijkdossier", description="A FHIR R4 server where the resident decides who sees the dossier."
    )
    subparsers = found.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(subparsers)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; the exit status is 0 when everything was done, 1 when something was refused, 2 for misuse."""
    chosen = parser().parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
        sys.stdout.flush()
    except ValueError as error:  # a setting or an argument that is out of range: the message names it
        return _mistake(str(error))
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        where = f": `{error.filename}`" if error.filename else ""
        return _mistake(f"{(error.strerror or 'the system refused').lower()}{where}")
    except (sqlite3.DatabaseError, NewerSchema) as error:
        return _mistake(f"the store can't be used: {error}")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status


def _mistake(told: str) -> int:
    print(f"wijkdossier: {told}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
