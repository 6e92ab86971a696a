"""Signing keys: made once, kept from others, rotated while tokens of the key before are about.

https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys
"""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from fhir_server import keys
from fhir_server.smart.keys import MET_SECONDS, SigningKey, SigningKeys

NOW = 1_790_000_000_000_000
SECOND = 1_000_000
MET = MET_SECONDS * SECOND
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth"}


def kids(document: dict[str, list[dict[str, str]]]) -> list[str]:
    return [key["kid"] for key in document["keys"]]


def test_the_first_start_makes_a_key_and_the_next_start_finds_it(tmp_path: Path) -> None:
    first = SigningKeys(tmp_path).current
    again = SigningKeys(tmp_path).current
    assert again.kid == first.kid
    assert first.key.raw_value.key_size == 2048
    assert again.key.as_dict(private=True) == first.key.as_dict(private=True)


def test_workers_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    workers = 6
    barrier, found = threading.Barrier(workers), []

    def start() -> None:
        barrier.wait()
        found.append(SigningKeys(tmp_path).current.kid)

    threads = [threading.Thread(target=start) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == workers
    assert set(found) == {SigningKeys(tmp_path).current.kid}
    assert [path.name for path in (tmp_path / "signing").iterdir()] == ["0001.pem"]


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_only_the_owner_can_read_them(tmp_path: Path, passphrase: str) -> None:
    made = SigningKeys(tmp_path, passphrase)
    made.rotate(NOW)
    assert (tmp_path / "signing").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "signing").iterdir()] == [0o600, 0o600]


def test_line_12_the_key_set_shows_public_halves_only(tmp_path: Path) -> None:
    made = SigningKeys(tmp_path)
    (shown,) = made.public(NOW)["keys"]
    assert shown.keys() == {"kty", "n", "e", "use", "alg", "kid"}
    assert (shown["kty"], shown["use"], shown["alg"], shown["kid"]) == ("RSA", "sig", "RS256", made.current.kid)
    assert not PRIVATE & shown.keys()


def test_line_12_during_a_rotation_both_keys_are_shown_and_the_new_one_signs(tmp_path: Path) -> None:
    made = SigningKeys(tmp_path)
    before = made.current
    signed = jwt.encode({"alg": "RS256", "kid": before.kid}, {"sub": "x"}, before.key)
    after = made.rotate(NOW)
    assert made.current.kid == after.kid != before.kid
    assert kids(made.public(NOW + 1)) == [before.kid, after.kid]
    # What was signed before the rotation is still believed by whoever fetches the set after it.
    assert jwt.decode(signed, KeySet.import_key_set(made.public(NOW + 1))).claims == {"sub": "x"}


def test_line_12_a_key_is_shown_until_none_of_its_tokens_can_be_valid(tmp_path: Path) -> None:
    made = SigningKeys(tmp_path)
    before = made.current
    after = made.rotate(NOW)
    assert kids(made.public(NOW + MET - 1)) == [before.kid, after.kid]
    assert kids(made.public(NOW + MET)) == [after.kid]


def test_the_next_rotation_throws_away_what_can_no_longer_be_met(tmp_path: Path) -> None:
    made = SigningKeys(tmp_path)
    made.rotate(NOW)
    made.rotate(NOW + SECOND)
    assert len(list((tmp_path / "signing").iterdir())) == 3
    made.rotate(NOW + 2 * MET)
    assert sorted(path.name for path in (tmp_path / "signing").iterdir()) == ["0003.pem", "0004.pem"]


def test_a_running_worker_sees_a_rotation_by_another_process(tmp_path: Path) -> None:
    worker, operator = SigningKeys(tmp_path), SigningKeys(tmp_path)
    before = worker.current
    after = operator.rotate(NOW)
    assert worker.current.kid == after.kid
    assert kids(worker.public(NOW)) == [before.kid, after.kid]


def test_the_tenth_thousandth_key_is_newer_than_the_one_before(tmp_path: Path) -> None:
    """Names are ordered as numbers: as text, `10000` stands before `9999`."""
    made = SigningKeys(tmp_path)
    made.current.path.rename(tmp_path / "signing" / "9999.pem")
    after = made.rotate(NOW)
    assert after.path.name == "10000.pem"
    assert SigningKeys(tmp_path).current.kid == after.kid


def test_two_who_rotate_at_once_do_not_overwrite_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, other = SigningKeys(tmp_path), SigningKeys(tmp_path)
    generate = made._new

    def slow() -> bytes:
        monkeypatch.setattr(made, "_new", generate)
        other.rotate(NOW)
        return generate()

    monkeypatch.setattr(made, "_new", slow)
    with pytest.raises(ValueError, match="rotated by somebody else"):
        made.rotate(NOW)
    assert made.current.kid == other.current.kid


def test_a_passphrase_encrypts_what_is_on_disk(tmp_path: Path) -> None:
    made = SigningKeys(tmp_path, "correct horse")
    text = made.current.path.read_text()
    assert text.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert SigningKeys(tmp_path, "correct horse").current.kid == made.current.kid


@pytest.mark.parametrize(
    "passphrase, told",
    [("", "is encrypted and key_passphrase is not set"), ("wrong", "key_passphrase is not the one")],
)
def test_without_the_right_passphrase_the_server_says_which_setting_is_wrong(
    tmp_path: Path, passphrase: str, told: str
) -> None:
    SigningKeys(tmp_path, "correct horse")
    with pytest.raises(ValueError, match=told) as raised:
        SigningKeys(tmp_path, passphrase)
    assert "0001.pem" in str(raised.value)
    assert "correct horse" not in str(raised.value)


def test_a_passphrase_that_is_set_later_encrypts_the_keys_that_are_there(tmp_path: Path) -> None:
    plain = SigningKeys(tmp_path)
    plain.rotate(NOW)
    before = [(one.kid, one.since, one.until) for one in plain.all()[1:]]
    for _ in range(2):  # the second finds them encrypted
        later = SigningKeys(tmp_path, "correct horse")
        assert [(one.kid, one.since, one.until) for one in later.all()[1:]] == before
    for path in (tmp_path / "signing").iterdir():
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_is_no_key_is_told_of(tmp_path: Path, content: bytes) -> None:
    SigningKeys(tmp_path).current.path.write_bytes(content)
    with pytest.raises(ValueError, match=r"`0001\.pem` can't be read: it is not PKCS#8"):
        SigningKeys(tmp_path)


def test_a_key_that_goes_while_it_is_looked_at_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker lists the folder, a rotation throws a key away, the worker opens it."""
    made = SigningKeys(tmp_path)
    after = made.rotate(NOW)
    worker = SigningKeys.__new__(SigningKeys)
    worker.__dict__.update(made.__dict__, _names=[], _keys=())
    loaded: Callable[[list[Path]], tuple[SigningKey, ...]] = worker._loaded

    def late(paths: list[Path]) -> tuple[SigningKey, ...]:
        if len(paths) == 2:
            paths[0].unlink()
        return loaded(paths)

    monkeypatch.setattr(worker, "_loaded", late)
    assert [one.kid for one in worker.all()] == [after.kid]


def test_a_folder_that_was_emptied_is_told_of(tmp_path: Path) -> None:
    made = SigningKeys(tmp_path)
    made.current.path.unlink()
    with pytest.raises(ValueError, match="holds no key any more"):
        _ = made.current


def test_a_worker_that_died_while_it_wrote_a_key_is_in_nobodys_way(tmp_path: Path) -> None:
    folder = tmp_path / "signing"
    folder.mkdir()
    (folder / ".0001.pem.half").write_bytes(b"-----BEGIN")
    assert SigningKeys(tmp_path).current.path.name == "0001.pem"


def test_secret_keys_of_the_folder_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    made = keys.key(tmp_path, "subject")
    assert len(made) == keys.KEY_BYTES
    assert keys.key(tmp_path, "subject") == made
    assert (tmp_path / "subject.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "subject.key").write_bytes(b"short")
    with pytest.raises(ValueError, match=r"`subject\.key` is not a key of 32 bytes"):
        keys.key(tmp_path, "subject")


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    assert keys.place(tmp_path / "one", b"first")
    assert not keys.place(tmp_path / "one", b"second")
    assert (tmp_path / "one").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
