"""https://hl7.org/fhir/R4/search.html#string: case, accents and white space do not tell strings apart."""

import pytest

from fhir_server.search.normal import normal, strip_tags, words


@pytest.mark.parametrize(
    "text, expected",
    [
        ("  Jan\t van  der\nBerg ", "jan van der berg"),
        ("Müller", "muller"),
        ("Ĳsselmonde", "ijsselmonde"),
        ("Straße", "strasse"),
        ("ÇELİK", "celik"),
        ("Zoë e\u0308", "zoe e"),
    ],
)
def test_case_accents_and_space_are_folded(text: str, expected: str) -> None:
    assert normal(text) == expected


def test_folding_twice_is_folding_once() -> None:
    for text in ("İ", "ǅ", "ﬃ", "½", "Å"):
        assert normal(normal(text)) == normal(text)


def test_words_leave_punctuation_out() -> None:
    assert words("Welzijn-op-recept, (Hoensbroek)!") == ("welzijn", "op", "recept", "hoensbroek")


def test_a_narrative_is_read_without_its_tags_and_comments() -> None:
    xhtml = (
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>Eet<!-- <b>niet</b> --> veel</p><p>caf&eacute; &lt;3</p></div>'
    )
    assert strip_tags(xhtml) == "eet veel cafe <3"
