"""The syntax tree of a FHIRPath expression (http://hl7.org/fhirpath/N1/#expressions)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.temporal import Temporal


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal; `None` is the empty collection `{}`."""

    value: bool | int | Decimal | str | Temporal | Quantity | None


@dataclass(frozen=True, slots=True)
class Variable:
    """`%name`: a value of the environment."""

    name: str


@dataclass(frozen=True, slots=True)
class This:
    """`$this`, `$index` or `$total`; `$this` also stands for the implied start of a path."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`source.name`; `root` when the name begins the path, so that it may be the type of the context."""

    source: "Expr"
    name: str
    root: bool


@dataclass(frozen=True, slots=True)
class Call:
    """`source.name(arguments)`."""

    source: "Expr"
    name: str
    arguments: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`source[position]`."""

    source: "Expr"
    position: "Expr"


@dataclass(frozen=True, slots=True)
class Unary:
    """`-operand` or `+operand`."""

    operator: str
    operand: "Expr"


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`operand is type` or `operand as type`; `type` may be qualified: `System.String`."""

    operator: str
    operand: "Expr"
    type: str


Expr: TypeAlias = Literal | Variable | This | Member | Call | Index | Unary | Binary | TypeTest


def type_name(expr: Expr) -> str | None:
    """The type specifier that an argument spells (`Patient`, `FHIR.Patient`), None when it is no type specifier."""
    if isinstance(expr, Member):
        if expr.root:
            return expr.name
        before = type_name(expr.source)
        return f"{before}.{expr.name}" if before else None
    return None
