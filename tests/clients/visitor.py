"""A person whose browser has no scripts: opens pages, fills in what has a label, presses buttons, follows redirects.

What it can't find by its visible words, a screen reader can't tell apart either.
https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#form-submission-2
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_BLOCKS: Final = frozenset({"fieldset", "section", "article", "li", "tr", "form", "details"})
_REDIRECTS_MAX: Final = 10


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: "Element | None" = None
    children: "list[Element | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """What can be read in it, with single spaces."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in ("script", "style", "title"):
                yield from (" ", *child._texts(), " ")

    def all(self, *tags: str) -> "Iterator[Element]":
        """Those below it of these tags, or of any."""
        for child in self.children:
            if isinstance(child, Element):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def around(self) -> "Iterator[Element]":
        """What it stands in, from the inside out."""
        if self.parent is not None:
            yield self.parent
            yield from self.parent.around()


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self._open = Element("root")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(made)
        if tag not in _VOID:
            self._open = made

    def handle_endtag(self, tag: str) -> None:
        while self._open.parent is not None and self._open.tag != tag:
            self._open = self._open.parent
        self._open = self._open.parent or self._open

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)


def parsed(html: str) -> Element:
    builder = _Builder()
    builder.feed(html)
    return builder.root


class Visitor:
    """`left_for` is the address of another site that the last redirect led to, '' while on the pages of `site`."""

    def __init__(self, site: str, language: str = "nl") -> None:
        self._http = httpx.Client(base_url=site, headers={"accept-language": language}, timeout=30)
        self._site = urlsplit(site)[:2]
        self.status = 0
        self.url = ""
        self.page = Element("root")
        self.left_for = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self._http.cookies.jar}

    @property
    def heading(self) -> str:
        """What the page says it is."""
        return next((one.text for one in self.page.all("h1")), "")

    def open(self, url: str) -> None:
        """Follow an address from elsewhere, up to a page or to another site."""
        self._went(self._http.get(url, headers={"sec-fetch-site": "cross-site"}))

    def follow(self, words: str, within: str = "") -> None:
        """Click the link with these words."""
        link = self._found(words, within, "a")
        self._went(self._http.get(urljoin(self.url, link.attributes["href"])))

    def fill(self, label: str, text: str, within: str = "") -> None:
        self._found(label, within, "input", "textarea").attributes["value"] = text

    def tick(self, label: str, within: str = "", *, on: bool = True) -> None:
        """A checkbox, or one of several radio buttons."""
        box = self._found(label, within, "input")
        if box.attributes.get("type") == "radio":
            for other in self._form(box).all("input"):
                if other.attributes.get("name") == box.attributes["name"]:
                    other.attributes.pop("checked", None)
        if on:
            box.attributes["checked"] = ""
        else:
            box.attributes.pop("checked", None)

    def is_ticked(self, label: str, within: str = "") -> bool:
        return "checked" in self._found(label, within, "input").attributes

    def press(self, words: str, within: str = "") -> None:
        """The button with these words: its form is sent, up to the page that comes of it or to another site."""
        button = self._found(words, within, "button")
        form = self._form(button)
        sent = [pair for one in form.all("input", "textarea", "select") if (pair := _sent(one))]
        if "name" in button.attributes:
            sent.append((button.attributes["name"], button.attributes.get("value", "")))
        url = urljoin(self.url, form.attributes.get("action") or self.url)
        if form.attributes.get("method", "get").lower() == "get":
            self._went(self._http.get(f"{url}?{urlencode(sent)}"))
            return
        # A browser under `Referrer-Policy: no-referrer` does not say where a form comes from, but for this.
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": "null",
            "sec-fetch-site": "same-origin",
        }
        self._went(self._http.post(url, content=urlencode(sent), headers=headers))

    def _went(self, answer: httpx.Response) -> None:
        self.left_for = ""
        for _ in range(_REDIRECTS_MAX):
            self.url, self.status = str(answer.url), answer.status_code
            if not answer.has_redirect_location:
                self.page = parsed(answer.text)
                return
            target = urljoin(self.url, answer.headers["location"])
            if urlsplit(target)[:2] != self._site:
                self.left_for = target
                return
            assert answer.status_code in (302, 303), "a form is not sent twice"
            answer = self._http.get(target)
        raise AssertionError(f"more than {_REDIRECTS_MAX} redirects, to {urlsplit(self.url).path} at last")

    # --- what a page shows -------------------------------------------------------------------------------------------

    def named(self, *tags: str) -> list[str]:
        """The names of all there is of these tags, in order."""
        return [self._name(one) for one in self.page.all(*tags) if one.attributes.get("type") != "hidden"]

    def _found(self, name: str, within: str, *tags: str) -> Element:
        """The one so named; of several the one in the smallest part of the page in which `within` can be read."""
        found = [one for one in self.page.all(*tags) if self._name(one) == name]
        # A label may go on with an explanation.
        found = found or [one for one in self.page.all(*tags) if self._name(one).startswith(f"{name} ")]
        if within:
            sizes = [(size, one) for one in found if (size := _distance(one, within))]
            found = [one for size, one in sizes if size == min(size for size, _ in sizes)]
        assert len(found) == 1, f"{len(found)} × `{name}` on `{self.heading}`, which has {self.named(*tags)}"
        return found[0]

    def _name(self, element: Element) -> str:
        """https://www.w3.org/TR/accname-1.2/, as far as our pages go."""
        if "aria-label" in element.attributes:
            return element.attributes["aria-label"]
        if element.tag in ("a", "button"):
            return element.text
        id = element.attributes.get("id")
        labels = [one for one in self.page.all("label") if id and one.attributes.get("for") == id]
        labels += [one for one in element.around() if one.tag == "label"]
        return labels[0].text if labels else ""

    def _form(self, element: Element) -> Element:
        form = next((one for one in element.around() if one.tag == "form"), None)
        assert form is not None, "it stands in no form"
        return form


def _distance(element: Element, words: str) -> int:
    """The length of the smallest block around it in which the words can be read; 0: there is none."""
    return next((len(one.text) for one in element.around() if one.tag in _BLOCKS and words in one.text), 0)


def _sent(element: Element) -> tuple[str, str] | None:
    """Name and value, of a control that is sent with its form."""
    told = element.attributes
    if "name" not in told or "disabled" in told:
        return None
    if told.get("type") in ("checkbox", "radio"):
        return (told["name"], told.get("value", "on")) if "checked" in told else None
    if element.tag == "select":
        options = list(element.all("option"))
        chosen = [one for one in options if "selected" in one.attributes] or options[:1]
        return (told["name"], chosen[0].attributes.get("value", chosen[0].text)) if chosen else None
    return told["name"], told.get("value", "" if element.tag == "input" else element.text)
