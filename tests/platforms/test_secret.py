from __future__ import annotations

from pathlib import Path

import pytest

from guestclock.errors import UsageProblem
from guestclock.platforms.secret import HIDDEN, scrubbed, secret

SENTINEL = "s3ntinel"
URL = f"mysql+pymysql://nova:{SENTINEL}@db.example/nova"


def test_a_plain_value_is_itself() -> None:
    assert secret(URL, "--cell-db") == URL


def test_a_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELL_DB", URL)
    assert secret("env:CELL_DB", "--cell-db") == URL


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\nmore\n"])
def test_the_first_line_of_a_file_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "url"
    path.write_bytes(f"{URL}{ending}".encode())
    assert secret(f"file:{path}", "--cell-db") == URL


@pytest.mark.parametrize(("value", "state"), [(None, "is not set"), ("", "is empty")])
def test_a_variable_without_a_value_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str | None, state: str
) -> None:
    monkeypatch.delenv("CELL_DB", raising=False)
    if value is not None:
        monkeypatch.setenv("CELL_DB", value)
    with pytest.raises(UsageProblem) as raised:
        secret("env:CELL_DB", "--cell-db")
    assert raised.value.message == f"--cell-db: the environment variable CELL_DB {state}"


@pytest.mark.parametrize("prefix", ["env:", "file:"])
def test_a_secret_written_after_the_prefix_is_not_shown(prefix: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        secret(prefix + URL, "--cell-db")
    assert SENTINEL not in str(raised.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="none cannot be read: No such file"):
        secret(f"file:{tmp_path}/none", "--cell-db")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="cannot be read: Is a directory"):
        secret(f"file:{tmp_path}", "--cell-db")


@pytest.mark.parametrize("content", [b"", b"\n", b"\nsecond line\n"])
def test_a_file_without_a_first_line_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "url"
    path.write_bytes(content)
    with pytest.raises(UsageProblem, match=r"the first line of .* is empty"):
        secret(f"file:{path}", "--cell-db")


def test_a_file_of_bytes_is_refused_without_them(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_bytes(SENTINEL.encode() + b"\xff\xfe\n")
    with pytest.raises(UsageProblem, match="is not a text in UTF-8") as raised:
        secret(f"file:{path}", "--cell-db")
    assert SENTINEL not in str(raised.value)


def test_a_path_with_a_null_byte_is_refused() -> None:
    with pytest.raises(UsageProblem, match=r"\\x00 cannot be read"):
        secret("file:/a\0", "--cell-db")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (URL, f"cannot open {URL}"),
        (URL, f"login nova:{SENTINEL}@db.example failed"),
        (URL, f"Access denied (using password: {SENTINEL})"),
        (f"rabbit://a:first@h1:5672,b:{SENTINEL}@h2:5672/", f"{SENTINEL} first"),
        (f"mysql://h/nova?user=nova&password={SENTINEL}", f"bad password {SENTINEL}"),
        (f"mysql://h/nova?ssl_key_password={SENTINEL}&charset=utf8", f"key {SENTINEL}"),
    ],
)
def test_what_is_secret_leaves_no_trace(url: str, text: str) -> None:
    clean = scrubbed(text, url)
    assert SENTINEL not in clean
    assert "first" not in clean
    assert HIDDEN in clean


def test_a_password_is_hidden_as_it_is_written_and_as_it_is_meant() -> None:
    url = "mysql://nova:p%40ss+w%27rd@h/nova"
    text = """p%40ss+w%27rd p@ss+w'rd p@ss w'rd 'p@ss+w\\'rd'"""
    assert "ss" not in scrubbed(text, url)


def test_a_password_with_an_unescaped_at_sign_is_hidden_in_its_parts() -> None:
    url = "mysql://nova:left@right@h/nova"
    assert scrubbed("host right, password left, left@right", url) == (
        f"host {HIDDEN}, password {HIDDEN}, {HIDDEN}"
    )


def test_a_text_without_the_secret_stays() -> None:
    assert scrubbed("Unknown database 'nova' at db.example", URL) == (
        "Unknown database 'nova' at db.example"
    )
    assert scrubbed("nothing to hide", "") == "nothing to hide"
