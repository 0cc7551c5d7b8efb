"""Setting up begins on a bare Python."""

import subprocess
import sys

from stack import paths

THIRD_PARTY = """
import sys
import stack.setup.bootstrap
print([name for name in ("rich", "pydantic", "pymysql", "confluent_kafka", "driftline") if name in sys.modules])
"""


def test_needs_the_standard_library_only() -> None:
    completed = subprocess.run(
        (sys.executable, "-S", "-c", THIRD_PARTY), cwd=paths.ROOT, capture_output=True, text=True, check=False
    )
    assert (completed.stdout, completed.returncode) == ("[]\n", 0), completed.stderr
