"""A program that serves predictions does not load what it does not need."""

import subprocess
import sys

HEAVY = (
    "alembic",
    "apiflask",
    "flask",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "typer",
)


def test_the_client_imports_no_large_library() -> None:
    program = (
        "import sys; from driftline.client import Monitor;"
        f"print(*sorted({{name.partition('.')[0] for name in sys.modules}} & {set(HEAVY)}))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
