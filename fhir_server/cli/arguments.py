"""Arguments that several subcommands share, and the settings they make."""

import argparse
from pathlib import Path
from typing import TypeAlias

from fhir_server.settings import Settings, from_environment

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the embedded store (default: data)")


def settings(chosen: argparse.Namespace) -> Settings:
    """The settings of this call: every argument that is named as a setting wins over the environment."""
    names = Settings.__dataclass_fields__
    return from_environment(**{name: value for name, value in vars(chosen).items() if name in names})
