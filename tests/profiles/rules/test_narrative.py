"""The narrative rules txt-1 and txt-2: what XHTML may be, and that whatever is active is refused.

https://hl7.org/fhir/R4/narrative.html#xhtml
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.rules.narrative import DEPTH_MAX, check_narrative
from tests.profiles.rules.asking import patient, says


def div(content: str, attributes: str = "") -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml"{attributes}>{content}</div>'


def texts(value: object) -> str:
    return "; ".join(finding.text for finding in check_narrative(value) or ())


@pytest.mark.parametrize(
    "content",
    [
        "a",
        "<p>a</p>",
        "&lt;b&gt; &amp; &#233; &quot;",
        "<b>a</b><br/><i>b</i><hr/>",
        '<table border="1"><tbody><tr><td colspan="2" style="color: red">a</td></tr></tbody></table>',
        '<a href="https://example.org/x?a=1&amp;b=2">a</a>',
        '<a href="#x">a</a><a name="x">b</a>',
        '<a href="mailto:a@example.org">a</a>',
        '<a href="Patient/1">a</a>',
        '<img src="#photo" alt="a"/>',
        '<img src="data:image/png;base64,AAAA"/>',
        '<p style="background: url(data:image/png;base64,AAAA)">a</p>',
        '<p title="a>b" xml:lang="nl" lang="nl">a</p>',
        "<!-- a --><p>a</p>",
        "<![CDATA[a < b]]>",
        '<p xmlns="http://www.w3.org/1999/xhtml">a</p>',
        "\u00a0",
    ],
)
def test_formatting_links_and_pictures_are_allowed(content: str) -> None:
    assert check_narrative(div(content)) is None


@pytest.mark.parametrize(
    "content, words",
    [
        ("<script>a</script>", "`script` is not allowed"),
        ("<SCRIPT>a</SCRIPT>", "`SCRIPT` is not allowed"),
        ("<iframe src='#'/>a", "`iframe` is not allowed"),
        ("<object/>a", "`object` is not allowed"),
        ("<form/>a", "`form` is not allowed"),
        ("<input/>a", "`input` is not allowed"),
        ("<style>p {}</style>a", "`style` is not allowed"),
        ("<link href='#'/>a", "`link` is not allowed"),
        ("<base href='#'/>a", "`base` is not allowed"),
        ("<meta/>a", "`meta` is not allowed"),
        ("<ins>a</ins>", "`ins` is not allowed"),
        ("<svg/>a", "`svg` is not allowed"),
        ("<x:p xmlns:x='http://www.w3.org/1999/xhtml'>a</x:p>", "`x:p` is not allowed"),
        ("<p onclick='a()'>a</p>", "attribute `onclick` is not allowed"),
        ("<img src='#a' onerror='a()'/>", "attribute `onerror` is not allowed"),
        ("<p href='#'>a</p>", "attribute `href` is not allowed on element `p`"),
        ("<p xmlns='http://www.w3.org/2000/svg'>a</p>", "another namespace"),
        ("<a href='javascript:a()'>a</a>", "no link"),
        ("<a href=' JaVaScript:a()'>a</a>", "no link"),
        ("<a href='java&#10;script:a()'>a</a>", "no link"),
        ("<a href='&#1;javascript:a()'>a</a>", "not well-formed"),
        ("<a href='vbscript:a'>a</a>", "no link"),
        ("<a href='data:text/html,a'>a</a>", "no link"),
        ("<img src='data:text/html,a'/>", "no link"),
        ("<img src='file:///etc/passwd'/>", "no link"),
        ("<p style='width: expression(a())'>a</p>", "style of element `p`"),
        ("<p style='width: exp/**/ression(a())'>a</p>", "style of element `p`"),
        ("<p style='behavior: url(#a)'>a</p>", "style of element `p`"),
        ("<p style='background: url(https://example.org/a.png)'>a</p>", "style of element `p`"),
        ("<p style='background: url(//example.org/a.png)'>a</p>", "style of element `p`"),
        ("<p style='background: \\75rl(x)'>a</p>", "style of element `p`"),
        ("<p>a", "not well-formed"),
        ("<p>a</b>", "not well-formed"),
        ("<p>a & b</p>", "not well-formed"),
        ("<p a='1' a='2'>a</p>", "not well-formed"),
        ("&nbsp;", "undefined entity"),
        ("<?php a ?>", "processing instruction"),
        ("\x00", "not well-formed"),
        ("\ud800", "lone surrogate"),
    ],
)
def test_what_is_active_foreign_or_broken_is_refused(content: str, words: str) -> None:
    assert texts(div(content)).startswith("txt-1: ")
    assert words in texts(div(content))


@pytest.mark.parametrize("content", ["", " ", "\n\t", "<p></p>", "<p> </p><br/>", "<!-- a -->", "<p title='a>b'/>"])
def test_a_narrative_has_content(content: str) -> None:
    assert texts(div(content)).startswith("txt-2: ")


@pytest.mark.parametrize("value", ["<p>a</p>", "<div>a</div>", '<div xmlns="http://hl7.org/fhir">a</div>', "a", ""])
def test_a_narrative_is_one_div_of_xhtml(value: str) -> None:
    assert texts(value).startswith("txt-1: ")


@pytest.mark.parametrize("value", [None, 1, {}, []])
def test_a_narrative_is_a_string(value: object) -> None:
    assert texts(value).startswith("a narrative is a json string")


def test_entities_are_never_declared_so_never_expanded() -> None:
    bomb = '<!DOCTYPE div [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + div("&b;")
    assert "document type declaration" in texts(bomb)


def test_an_external_entity_is_refused() -> None:
    assert "document type" in texts('<!DOCTYPE div [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + div("&a;"))


def test_nesting_has_a_limit() -> None:
    depth = DEPTH_MAX - 1
    assert check_narrative(div("<b>" * depth + "a" + "</b>" * depth)) is None
    assert "nested deeper" in texts(div("<b>" * (depth + 1) + "a" + "</b>" * (depth + 1)))
    assert check_narrative(div("<b>a</b><br/><!-- <b> --><p title='&lt;b>'>a</p>" * 500)) is None


def test_the_narrative_of_a_resource_is_checked_at_its_place() -> None:
    text = {"status": "generated", "div": div("<script>a</script>")}
    assert says(patient(text=text), "Patient.text.div", "txt-1", "`script`")


@given(st.text(alphabet="<>/='\"&;!-[] abdivpscriptxmlns:#\x00\ud800", max_size=80))
def test_no_text_makes_an_exception(content: str) -> None:
    check_narrative(content)
    check_narrative(div(content))
