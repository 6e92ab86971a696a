"""FHIRPath text → syntax tree, by operator precedence (http://hl7.org/fhirpath/N1/#operator-precedence)."""

from decimal import Decimal

from profiles.fhirpath import temporal
from profiles.fhirpath.errors import FhirPathSyntaxError
from profiles.fhirpath.lexer import Token, tokens
from profiles.fhirpath.quantity import CALENDAR, Quantity
from profiles.fhirpath.syntax import Binary, Call, Expr, Index, Literal, Member, This, TypeTest, Unary, Variable

DEPTH_MAX = 100  # nesting of expressions: far above any published one, far below the interpreter's stack
DIGITS_MAX = 40

_BINDING = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "~": 5,
    "!=": 5,
    "!~": 5,
    "<": 6,
    ">": 6,
    "<=": 6,
    ">=": 6,
    "|": 7,
    "is": 8,
    "as": 8,
    "+": 9,
    "-": 9,
    "&": 9,
    "*": 10,
    "/": 10,
    "div": 10,
    "mod": 10,
}
_UNARY_BINDING = 11
_LOWEST = 1


class _Parser:
    """One pass over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    def expected(self, what: str) -> FhirPathSyntaxError:
        token = self.tokens[self.at]
        found = f"`{token.text[:20]}`" if token.kind != "end" else "the end"
        return FhirPathSyntaxError(f"expected {what} but found {found} at character {token.at + 1} of the expression")

    def peek(self, text: str) -> bool:
        token = self.tokens[self.at]
        return token.kind == "operator" and token.text == text

    def accept(self, text: str) -> bool:
        if self.peek(text):
            self.at += 1
            return True
        return False

    def demand(self, text: str) -> None:
        if not self.accept(text):
            raise self.expected(f"`{text}`")

    def operator(self) -> str | None:
        token: Token = self.tokens[self.at]
        if (token.kind == "operator" or (token.kind == "name" and not token.quoted)) and token.text in _BINDING:
            return token.text
        return None

    def deeper(self, levels: int = 1) -> None:
        self.depth += levels
        if self.depth > DEPTH_MAX:
            raise FhirPathSyntaxError(f"expression is nested deeper than {DEPTH_MAX} levels")

    def expression(self, binding: int = _LOWEST) -> Expr:
        entered = self.depth
        self.deeper()
        left = self.unary()
        # Operators of one level associate to the left, so the tree grows by one level with each of them.
        while (operator := self.operator()) is not None and _BINDING[operator] >= binding:
            self.deeper()
            self.at += 1
            if operator in ("is", "as"):
                left = TypeTest(operator, left, self.type_specifier())
            else:
                left = Binary(operator, left, self.expression(_BINDING[operator] + 1))
        self.depth = entered
        return left

    def unary(self) -> Expr:
        for sign in "+-":
            if self.accept(sign):
                return Unary(sign, self.expression(_UNARY_BINDING))
        return self.path()

    def path(self) -> Expr:
        entered = self.depth
        left = self.term()
        while True:
            if self.accept("."):
                self.deeper()
                token = self.tokens[self.at]
                if token.kind == "name":
                    left = self.invocation(left, root=False)
                elif token.kind == "this":
                    raise self.expected("a name after `.`")
                else:
                    raise self.expected("a name")
            elif self.accept("["):
                self.deeper()
                left = Index(left, self.expression())
                self.demand("]")
            else:
                self.depth = entered
                return left

    def term(self) -> Expr:
        token = self.tokens[self.at]
        if token.kind == "name":
            if not token.quoted and token.text in ("true", "false"):
                self.at += 1
                return Literal(token.text == "true")
            return self.invocation(This("this"), root=True)
        self.at += 1
        if token.kind == "string":
            return Literal(token.text)
        if token.kind == "number":
            return self.number(token.text)
        if token.kind == "temporal":
            value = temporal.literal(token.text)
            if value is None:
                raise FhirPathSyntaxError(f"`{token.text}` is no date or time")
            return Literal(value)
        if token.kind == "variable":
            return Variable(token.text)
        if token.kind == "this":
            return This(token.text[1:])
        if token.kind == "operator" and token.text == "(":
            inner = self.expression()
            self.demand(")")
            return inner
        if token.kind == "operator" and token.text == "{":
            self.demand("}")
            return Literal(None)
        self.at -= 1
        raise self.expected("an expression")

    def number(self, text: str) -> Expr:
        if len(text) > DIGITS_MAX:
            raise FhirPathSyntaxError(f"a number has more than {DIGITS_MAX} digits")
        value: int | Decimal = Decimal(text) if "." in text else int(text)
        token = self.tokens[self.at]
        if token.kind == "string":
            self.at += 1
            return Literal(Quantity(Decimal(value), token.text))
        if token.kind == "name" and not token.quoted and token.text in CALENDAR:
            self.at += 1
            return Literal(Quantity(Decimal(value), CALENDAR[token.text], calendar=True))
        return Literal(value)

    def invocation(self, source: Expr, root: bool) -> Expr:
        token = self.tokens[self.at]
        self.at += 1
        if token.quoted or not self.accept("("):
            return Member(source, token.text, root)
        arguments: list[Expr] = []
        if not self.peek(")"):
            arguments.append(self.expression())
            while self.accept(","):
                arguments.append(self.expression())
        self.demand(")")
        return Call(source, token.text, tuple(arguments))

    def type_specifier(self) -> str:
        parts: list[str] = []
        while True:
            token = self.tokens[self.at]
            if token.kind != "name":
                raise self.expected("a type name")
            self.at += 1
            parts.append(token.text)
            # `(x as Period).start` closes before the dot, so a dot here qualifies the type: at most one.
            if len(parts) == 2 or not self.accept("."):
                return ".".join(parts)


def parse(text: str) -> Expr:
    """The syntax tree of `text`; raises FhirPathSyntaxError that names the position and what was expected there."""
    parser = _Parser(text)
    try:
        tree = parser.expression()
    except RecursionError:
        raise FhirPathSyntaxError("the expression is nested too deeply") from None
    if parser.tokens[parser.at].kind != "end":
        raise parser.expected("an operator or the end")
    return tree
