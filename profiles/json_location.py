"""Find where in a JSON text the first broken rule is: run only on text that is refused.

https://www.rfc-editor.org/rfc/rfc8259
"""

import json
import re
from collections.abc import Callable

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|([\[\]{},])|([^\s\[\]{},:"]+)', re.DOTALL)
NAME_CHARS_MAX = 40
STEPS_MAX = 16


class _Frame:
    """One open object or array: the names seen in it so far and the place that reading has come to."""

    def __init__(self, is_object: bool) -> None:
        self.expects_name = self.is_object = is_object
        self.names: set[str] = set()
        self.name = ""
        self.index = 0

    def next(self) -> None:
        self.expects_name = self.is_object
        self.name = ""
        self.index += 1

    @property
    def step(self) -> str:
        if not self.is_object:
            return f"[{self.index}]"
        return f".{self.name[:NAME_CHARS_MAX]}" if self.name else ""


def locate(data: bytes, violates: Callable[[str], bool], depth_max: int) -> str:
    """Return the FHIRPath location of the first broken rule in `data`, without the resource type (`name[0].given`).

    A rule is broken by a property that occurs twice in an object (its location is the object's), nesting deeper than
    `depth_max`, and by a scalar token that `violates`. Empty when that is the root, or when nothing is found because
    the text is not well-formed. Locations are cut after `STEPS_MAX` steps.
    """
    stack: list[_Frame] = []
    for text, sign, scalar in _TOKEN.findall(data.decode(errors="replace")):
        if sign in ("{", "["):
            if len(stack) == depth_max:
                return _path(stack)
            stack.append(_Frame(sign == "{"))
        elif not stack:
            return ""
        elif sign == ",":
            stack[-1].next()
        elif sign:
            stack.pop()
        elif text and stack[-1].expects_name:
            frame = stack[-1]
            name = json.loads(text, strict=False)
            if name in frame.names or violates(text):
                return _path(stack)
            frame.names.add(name)
            frame.name, frame.expects_name = name, False
        elif violates(text or scalar):
            return _path(stack)
    return ""


def _path(stack: list[_Frame]) -> str:
    path = "".join(frame.step for frame in stack[:STEPS_MAX]).removeprefix(".")
    return f"{path} …" if len(stack) > STEPS_MAX else path
