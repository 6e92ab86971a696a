"""The comparison that the tests of the README rest on tells right from wrong."""

from pathlib import Path

from tests.docs.transcript import Command, blocks, difference, run

PRINTED = 'HTTP/1.1 200 OK\netag: W/"1"\n\n{"a": 1.50, "b": [{"c": "x-17"}, {"c": "y"}], "d": {"e": null}}'


def test_what_is_left_out_may_be_anything() -> None:
    assert (
        difference('HTTP/1.1 200 OK\n…\n{\n  "b": [\n    …\n    {\n      "c": "y"\n    }\n  ],\n  …\n}', PRINTED) == ""
    )
    assert difference('HTTP/… OK\n…\n{"b":[{"c":"x-…"}],"d":{…}}', PRINTED) == ""


def test_what_is_shown_must_have_been_printed() -> None:
    assert "$.a" in difference('…\n{"a": 1.5}', PRINTED)
    assert "$.z" in difference('…\n{"z": 1}', PRINTED)
    assert "$.b" in difference('…\n{"b": [{"c": "y"}, {"c": "x-17"}]}', PRINTED)
    assert "404" in difference('HTTP/1.1 404 Not Found\n…\n{"a": 1.50}', PRINTED)
    assert difference("", "something") != ""
    assert difference('{"a": 1}', "nothing") != ""
    assert difference("one\n…\nthree", "one\ntwo\nfour") != ""


def test_commands_are_told_from_their_output() -> None:
    text = (
        "x\n```console\n$ one\nout\n$ cat <<'END'\nin\nEND\nmore\n```\n<!-- not run: why -->\n```console\n$ two\n```\n"
    )
    first, second = blocks(text)
    assert first.commands == (Command(3, "one", "out"), Command(5, "cat <<'END'\nin\nEND", "more"))
    assert (first.not_run, second.not_run) == ("", "why")


def test_commands_share_a_shell_and_tell_their_status(tmp_path: Path) -> None:
    commands = [Command(1, "X=1", ""), Command(2, "echo $X; false", ""), Command(3, "echo $?", "")]
    assert [(ran.output, ran.status) for ran in run(commands, tmp_path, seconds=20)] == [("", 0), ("1", 1), ("1", 0)]
