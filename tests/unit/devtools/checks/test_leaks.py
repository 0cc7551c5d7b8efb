import base64
import json
import random
import string
from pathlib import Path

import pytest

from devtools.checks import leaks
from devtools.checks.leaks import LEAKS_FOUND, files_below, main

LETTERS = string.ascii_letters + string.digits
NOISE = random.Random(7)


def noise(length: int, letters: str = LETTERS) -> str:
    """Made anew for each run of the tests, so that no file holds it."""
    return "".join(NOISE.choices(letters, k=length))


def forms_in(file: Path) -> set[str]:
    return {leak.form for leak in leaks.leaks([file])}


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


UPPER = string.ascii_uppercase + string.digits
PLANTED = {
    "AWS Access Key": ("deploy.sh", f"export KEY=AKIA{noise(16, UPPER)}"),
    "GitHub Token": ("notes.md", f"I used ghp_{noise(36)} for it"),
    "Google API key or token": ("app.log", f"GET /maps?key=AIza{noise(35)} 200"),
    "Private Key": ("key.json", json.dumps({"private_key": f"-----BEGIN PRIVATE {'KEY'}-----\n{noise(64)}"})),
    "Basic Auth Credentials": ("app.log", f"connecting to mysql+pymysql://root:{noise(20)}@db:3306/RawData"),
    "Variable with a secret": ("compose.env", f"DB_PASSWORD={noise(20)}"),
    "Secret Keyword": ("compose.yaml", f"services:\n  db:\n    password: {noise(12)}\n"),
    "Base64 High Entropy String": ("keys.py", f'ONE = "{base64.b64encode(NOISE.randbytes(40)).decode()}"'),
    "Driftline token": ("app.log", f"GET /models Authorization: Bearer driftline_{noise(43)}"),
    "Hex High Entropy String": ("keys.py", f'ONE = "{NOISE.randbytes(32).hex()}"'),
}


@pytest.mark.parametrize("form", PLANTED)
def test_a_planted_secret_is_found_by_its_form(form: str, tmp_path: Path) -> None:
    name, text = PLANTED[form]
    assert form in forms_in(written(tmp_path, name, f"first line\n{text}\n"))


def test_a_byte_that_is_no_text_blinds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "broken.log"
    file.write_bytes(b"caf\xe9\n" + f"export KEY=AKIA{noise(16, UPPER)}".encode())
    assert [(leak.line, leak.form) for leak in leaks.leaks([file])] == [(2, "AWS Access Key")]


def test_placeholders_and_plain_text_are_no_secrets(tmp_path: Path) -> None:
    text = "DB_PASSWORD=$DB_PASSWORD\npassword: ${DB_PASSWORD}\nid 3f2504e0-4f89-11d3-9a0c-0305e82c3301\nAll is well.\n"
    assert forms_in(written(tmp_path, "compose.yaml", text)) == set()


def test_words_are_a_password_in_tests_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the checkout's own folder of tests: another folder of this name above the checkout changes nothing."""
    monkeypatch.setattr(leaks, "TESTS", tmp_path / "tests" / "checkout" / "tests")
    (tmp_path / "tests" / "checkout" / "tests").mkdir(parents=True)
    text = 'PASSWORD = "of a user that is asked for TLS"\n'
    assert forms_in(written(leaks.TESTS.parent, "app.py", text)) == {"Secret Keyword"}
    assert forms_in(written(leaks.TESTS, "test_app.py", text)) == set()
    assert forms_in(written(leaks.TESTS, "test_app.py", f'PASSWORD = "{noise(12)}7"')) == {"Secret Keyword"}


def test_what_is_printed_names_the_place_and_never_the_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = f"AKIA{noise(16, UPPER)}"
    written(tmp_path, "deploy.sh", f"\nexport KEY={secret}")
    assert main([str(tmp_path)]) == LEAKS_FOUND
    output = capsys.readouterr().err
    assert "deploy.sh:2: AWS Access Key" in output
    assert leaks.fingerprint(secret) in output
    assert secret not in output


def test_a_clean_folder_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "app.log", "started\n")
    assert main([str(tmp_path)]) == 0
    assert "No secrets found" in capsys.readouterr().err


def test_files_below_a_folder_exclude_links(tmp_path: Path) -> None:
    inner = tmp_path / "logs" / "spark"
    inner.mkdir(parents=True)
    file = written(inner, "job.log", "x")
    (tmp_path / "logs" / "link").symlink_to(file)
    assert files_below(tmp_path / "logs", file) == [file, file]


def test_every_audited_entry_says_why() -> None:
    assert all(len(entry.why) > 20 for entry in leaks.not_secrets())
