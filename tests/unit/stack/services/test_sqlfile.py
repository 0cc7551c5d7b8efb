"""Identifiers in SQL files are quoted, each statement once for every name."""

from pathlib import Path

import pytest

from stack.services.sqlfile import quoted, schema_pattern, statements

FILE = """
-- A comment; with a semicolon.
CREATE DATABASE :schema;

GRANT SELECT ON :schema.:tables TO driftline_jobs@localhost IDENTIFIED BY %(password)s;
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.sql"
    path.write_text(FILE)
    return path


def test_a_statement_comes_once_for_every_name(file: Path) -> None:
    assert list(statements(file, {"schema": ("Raw",), "tables": ("a", "b")})) == [
        "CREATE DATABASE `Raw`",
        "GRANT SELECT ON `Raw`.`a` TO driftline_jobs@localhost IDENTIFIED BY %(password)s",
        "GRANT SELECT ON `Raw`.`b` TO driftline_jobs@localhost IDENTIFIED BY %(password)s",
    ]


def test_an_identifier_that_is_not_given_is_an_error(file: Path) -> None:
    with pytest.raises(KeyError, match="tables"):
        list(statements(file, {"schema": ("Raw",)}))


def test_a_name_cannot_end_its_quotes() -> None:
    assert quoted("a`; DROP TABLE b; --") == "`a``; DROP TABLE b; --`"


def test_a_schema_is_no_pattern() -> None:
    assert schema_pattern("RawData_truth") == r"RawData\_truth"
