"""The code of the second step: of RFC 6238, of about now, once; its secret is sealed."""

import pyotp
import pytest

from fhir_server.smart.second_factor import SecondFactor

KEY, OTHER = b"k" * 32, b"o" * 32
SECOND = 1_000_000


def test_the_code_of_now_and_of_a_step_beside_it_is_right_and_no_other() -> None:
    factor = SecondFactor(KEY)
    sealed = factor.new("account")
    totp = pyotp.TOTP(factor.secret(sealed, "account"))
    now = 1_790_000_010
    step = now // 30
    accepted = {
        away: factor.accepted(sealed, "account", totp.at(now + away * 30), now * SECOND, 0) for away in range(-3, 4)
    }
    assert accepted == {-3: None, -2: None, -1: step - 1, 0: step, 1: step + 1, 2: None, 3: None}


def test_a_code_of_a_step_that_was_used_or_of_one_before_it_is_wrong() -> None:
    factor = SecondFactor(KEY)
    sealed = factor.new("account")
    totp = pyotp.TOTP(factor.secret(sealed, "account"))
    now = 1_790_000_010
    step = now // 30
    assert factor.accepted(sealed, "account", totp.at(now), now * SECOND, step) is None
    assert factor.accepted(sealed, "account", totp.at(now - 30), now * SECOND, step) is None
    assert factor.accepted(sealed, "account", totp.at(now + 30), now * SECOND, step) == step + 1


def test_a_code_is_read_as_people_type_it() -> None:
    factor = SecondFactor(KEY)
    sealed = factor.new("account")
    now = 1_790_000_010
    code = pyotp.TOTP(factor.secret(sealed, "account")).at(now)
    assert factor.accepted(sealed, "account", f" {code[:3]} {code[3:]} ", now * SECOND, 0)


@pytest.mark.parametrize("code", ["", "0", "1234567", "abcdef", "é", "１２３４５６", "000000\x00"])
def test_what_is_no_code_is_wrong_and_no_error(code: str) -> None:
    factor = SecondFactor(KEY)
    assert factor.accepted(factor.new("account"), "account", code, 1_790_000_000 * SECOND, 2**40) is None


def test_the_sealed_secret_tells_nothing_and_opens_for_its_account_and_key_alone() -> None:
    factor = SecondFactor(KEY)
    sealed = factor.new("account")
    secret = factor.secret(sealed, "account")
    assert len(secret) == 32
    assert secret not in sealed
    assert factor.new("account") != sealed
    for opener, account in ((factor, "other"), (SecondFactor(OTHER), "account")):
        with pytest.raises(ValueError, match="another key"):
            opener.secret(sealed, account)
        code = pyotp.TOTP(secret).at(1_790_000_000)
        assert opener.accepted(sealed, account, code, 1_790_000_000 * SECOND, 0) is None


def test_the_qr_code_says_whose_it_is() -> None:
    factor = SecondFactor(KEY)
    sealed = factor.new("account")
    parsed = pyotp.parse_uri(factor.uri(sealed, "account", "annie"))
    assert (parsed.issuer, parsed.name, parsed.secret) == ("wijkdossier", "annie", factor.secret(sealed, "account"))


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, in six digits: the secret `12345678901234567890` at 59 and 1111111109 seconds."""
    totp = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert [totp.at(59), totp.at(1111111109)] == ["287082", "081804"]
