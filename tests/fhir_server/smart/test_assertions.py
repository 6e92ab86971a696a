"""What an assertion must be. https://datatracker.ietf.org/doc/html/rfc7523#section-3, RFC 7515, RFC 7519

Each refusal has a twin that differs in nothing else and is believed: see `believed`.
"""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK

from fhir_server.smart import assertions
from fhir_server.smart.assertions import Refused
from tests.fhir_server.smart.signing import ISSUER, TOKEN_URL, claims, ec, key_set, public, rsa, signed

Json = dict[str, Any]

NOW = 1_790_000_000_000_000
SECONDS = NOW // 1_000_000
KEYS = [public(ec()), public(rsa())]


def believed(text: str, keys: list[Json] = KEYS, audience: str = TOKEN_URL, now: int = NOW) -> assertions.Believed:
    return assertions.verify(assertions.read(text), keys, audience, now)


def refused(text: str, keys: list[Json] = KEYS, audience: str = TOKEN_URL) -> str:
    with pytest.raises(Refused) as caught:
        believed(text, keys, audience)
    return str(caught.value)


def made(**more: Any) -> Json:
    return claims(now=NOW, **more)


def part(content: Any) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(header: Any = None, claimed: Any = None) -> str:
    return f"{part(header or {'alg': 'ES384', 'kid': 'ec-1'})}.{part(claimed or made())}.AAAA"


@pytest.mark.parametrize("key", [ec(), rsa()], ids=["ES384", "RS384"])
def test_line_14_an_assertion_of_either_algorithm_is_believed(key: JWK) -> None:
    assert believed(signed(made(jti="once"), key)) == assertions.Believed("once", (SECONDS + 240) * 1_000_000)


@pytest.mark.parametrize(
    "name, wrong, words",
    [
        ("iss", None, "iss is missing"),
        ("iss", "", "iss is missing"),
        ("iss", ["backend"], "iss is missing"),
        ("sub", None, "iss and sub"),
        ("sub", "another", "iss and sub"),
        ("aud", None, "aud is"),
        ("aud", "", "aud is"),
        ("aud", ISSUER, "aud is"),
        ("aud", TOKEN_URL + "/", "aud is"),
        ("aud", TOKEN_URL.upper(), "aud is"),
        ("aud", [TOKEN_URL, "https://elsewhere.test/token"], "aud is"),
        ("aud", [TOKEN_URL, TOKEN_URL], "aud is"),
        ("aud", [], "aud is"),
        ("aud", [[TOKEN_URL]], "aud is"),
        ("aud", {TOKEN_URL: 1}, "aud is"),
        ("exp", None, "exp is missing"),
        ("exp", SECONDS, "exp has passed"),
        ("exp", SECONDS - 3600, "exp has passed"),
        ("exp", -1, "exp has passed"),
        ("exp", SECONDS + 301, "ahead"),
        ("exp", SECONDS + 300.5, "ahead"),
        ("exp", 1e300, "ahead"),
        ("exp", str(SECONDS + 240), "exp is a number"),
        ("exp", True, "exp is a number"),
        ("exp", [SECONDS + 240], "exp is a number"),
        ("nbf", SECONDS + 61, "nbf lies ahead"),
        ("nbf", "now", "nbf is a number"),
        ("iat", SECONDS + 61, "iat lies ahead"),
        ("iat", None, ""),
        ("jti", None, "jti is missing"),
        ("jti", "", "jti is missing"),
        ("jti", 7, "jti is missing"),
    ],
)
def test_line_14_a_claim_that_is_not_as_it_must_be_is_refused(name: str, wrong: Any, words: str) -> None:
    good = made(iat=SECONDS, nbf=SECONDS)
    assert believed(signed(good))
    bad = {key: value for key, value in {**good, name: wrong}.items() if value is not None}
    if words:
        assert words in refused(signed(bad))
    else:
        assert believed(signed(bad))


@pytest.mark.parametrize(
    "more",
    [
        {"exp": SECONDS + 300},
        {"exp": SECONDS + 1},
        {"exp": SECONDS + 0.5},
        {"aud": [TOKEN_URL]},
        {"iat": SECONDS + 60, "nbf": SECONDS + 60},
        {"iat": 0, "whatever": {"else": ["is", "there"]}},
    ],
)
def test_line_14_what_is_just_within_the_rules_is_believed(more: Json) -> None:
    assert believed(signed(made(**more)))


def test_an_assertion_that_ends_before_it_begins_is_refused() -> None:
    assert "nbf lies ahead" in refused(signed(made(exp=SECONDS + 10, nbf=SECONDS + 20)))


def test_line_14_the_issuer_is_the_audience_of_the_other_profile_and_of_that_one_only() -> None:
    assert believed(signed(made(aud=ISSUER)), audience=ISSUER)
    assert "aud is" in refused(signed(made(aud=TOKEN_URL)), audience=ISSUER)


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS384"])
def test_line_14_another_algorithm_of_rsa_is_refused(alg: str) -> None:
    assert "alg is" in refused(signed(made(), rsa(), alg))


@pytest.mark.parametrize("crv, alg", [("P-256", "ES256"), ("P-521", "ES512")])
def test_line_14_another_algorithm_of_elliptic_curves_is_refused(crv: str, alg: str) -> None:
    key = ec("other", crv)
    assert "alg is" in refused(signed(made(), key, alg), [public(key)])


def test_line_14_none_is_no_algorithm() -> None:
    for alg in ("none", "None", "NONE", ""):
        head = part({"alg": alg, "kid": ec()["kid"], "typ": "JWT"})
        assert "alg is" in refused(f"{head}.{part(made())}.AA")
        assert "compact form" in refused(f"{head}.{part(made())}.")


@pytest.mark.parametrize("alg", ["HS256", "HS384"])
def test_line_14_a_public_key_is_no_shared_secret(alg: str) -> None:
    public_text = rsa().export_to_pem()
    shared = JWK(kty="oct", k=part(public_text), kid=rsa()["kid"])
    assert "alg is" in refused(signed(made(), shared, alg))


@pytest.mark.parametrize("kid, words", [(None, "kid is missing"), ("", "kid is missing"), (1, "kid is missing"),
                                        (["ec-1"], "kid is missing"), ("ec-2", "kid is that of no key")])  # fmt: skip
def test_line_14_a_kid_that_is_missing_or_unknown_is_refused(kid: Any, words: str) -> None:
    assert words in refused(signed(made(), kid=kid))


def test_line_14_an_ambiguous_kid_is_refused_though_one_of_the_keys_would_do() -> None:
    twin = public(ec("another"), kid=ec()["kid"])
    other_kind = public(rsa(), kid=ec()["kid"])
    for second in (twin, other_kind, public(ec())):
        assert "several keys" in refused(signed(made()), [public(ec()), second])


def test_line_14_a_key_of_another_kty_is_refused() -> None:
    same_name = ec("rsa-1")
    assert "kty" in refused(signed(made(), same_name), [public(rsa())])
    assert "kty" in refused(signed(made(), rsa("ec-1")), [public(ec())])


@pytest.mark.parametrize(
    "more",
    [
        {"use": "enc"},
        {"alg": "ES256"},
        {"alg": "ECDH-ES"},
        {"key_ops": ["deriveKey"]},
        {"key_ops": "verify"},
        {"crv": "P-256"},
        {"x": None},
        {"x": "AAAA"},
        {"y": 7},
        {"kty": "oct", "k": "AAAA"},
        {"kty": None},
        {"d": ec().export_private(as_dict=True)["d"]},
    ],
)
def test_a_key_that_is_for_something_else_or_broken_is_refused(more: Json) -> None:
    good = public(ec(), use="sig", alg="ES384", key_ops=["verify"])
    assert believed(signed(made()), [good])
    assert refused(signed(made()), [{name: value for name, value in {**good, **more}.items() if value is not None}])


def test_line_14_a_bad_signature_is_refused() -> None:
    assert "signature" in refused(signed(made(), ec("thief"), kid="ec-1"))
    assert "signature" in refused(signed(made(), rsa("thief"), kid="rsa-1"))
    head, _, signature = signed(made()).split(".")
    assert "signature" in refused(f"{head}.{part(made(jti='another'))}.{signature}")
    assert "signature" in refused(f"{head}.{part(made())}.AAAA")


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_weak_rsa_key_is_refused() -> None:
    weak = rsa("weak", 1024)
    assert "bits" in refused(signed(made(), weak), [public(weak)])


@pytest.mark.parametrize(
    "header, words",
    [
        ({"crit": ["exp"]}, "crit"),
        ({"crit": []}, "crit"),
        ({"crit": ["b64"], "b64": True}, "crit"),
        ({"typ": "at+jwt"}, "typ"),
        ({"typ": "dpop+jwt"}, "typ"),
        ({"typ": 1}, "typ"),
        ({"jku": 1}, "jku"),
    ],
)
def test_a_header_that_means_something_else_is_refused(header: Json, words: str) -> None:
    assert words in refused(unsigned({"alg": "ES384", "kid": "ec-1", "typ": "JWT", **header}))


@pytest.mark.parametrize("header", [{"typ": None}, {"typ": "jwt"}, {"typ": "client-authentication+jwt"}, {"x": "y"}])
def test_a_header_that_says_less_or_more_is_believed(header: Json) -> None:
    assert believed(signed(made(), **header))


def test_a_key_in_the_header_is_not_looked_at() -> None:
    thief = ec("thief")
    assert "signature" in refused(signed(made(), thief, kid="ec-1", jwk=public(thief), x5c=["AAAA"]))
    assert "no key" in refused(signed(made(), thief, jwk=public(thief)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "é.é.é",
        unsigned(b"[]"),
        unsigned(b"{"),
        unsigned(b'{"a":' * 2000),
        unsigned(b'{"alg":"none","alg":"ES384","kid":"ec-1"}'),
        unsigned({"alg": ["ES384"]}),
        unsigned({"alg": {}}),
        unsigned(claimed=b"null"),
        unsigned(claimed=b"\xff"),
        unsigned(claimed=b"[" * 5000),
        "A" * 20_000,
    ],
)
def test_what_is_no_jwt_is_refused_in_words_that_repeat_nothing_of_it(text: str) -> None:
    words = refused(text)
    assert words.isascii()
    assert "AAAA" not in words


def test_a_claim_that_stands_there_twice_is_refused() -> None:
    text = json.dumps(made())[:-1] + ', "aud": "https://elsewhere.test"}'
    assert "JSON objects" in refused(signed(text))


@given(st.binary(max_size=60), st.integers(0, 2), st.integers(0, 600))
def test_whatever_is_changed_the_answer_is_belief_or_refusal(junk: bytes, which: int, at: int) -> None:
    parts = signed(made()).split(".")
    place = at % (len(parts[which]) + 1)
    parts[which] = parts[which][:place] + part(junk) + parts[which][place:]
    text = ".".join(parts)
    try:
        believed(text)
    except Refused:
        return
    assert not junk


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3)),
       st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]))  # fmt: skip
def test_whatever_a_claim_is_the_answer_is_belief_or_refusal(value: Any, name: str) -> None:
    try:
        believed(signed({**made(), name: value}))
    except Refused:
        return
    assert name in ("jti", "iat", "nbf", "exp")


def test_the_key_set_of_the_tests_is_one() -> None:
    assert key_set(ec())["keys"][0].keys() == {"kty", "crv", "x", "y", "kid"}
