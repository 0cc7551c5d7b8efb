"""Output files are written whole or not at all, also where a signal ends the command."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import wait_until

WRITES_SLOWLY = """
import sys, time
from pathlib import Path
from driftline import __main__, cli, output_files

def write_slowly(path):
    path.write_text("half")
    time.sleep(60)

cli.main = lambda: output_files.write({Path(sys.argv[1]): write_slowly})
__main__.main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_a_signal_while_a_file_is_written_leaves_nothing(number: int, status: int, tmp_path: Path) -> None:
    command = (sys.executable, "-c", WRITES_SLOWLY, str(tmp_path / "out.json"))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: any(file.read_text() == "half" for file in tmp_path.iterdir()))
        process.send_signal(number)
        _, text = process.communicate(timeout=20)
    assert (process.returncode, text) == (status, "")
    assert not [*tmp_path.iterdir()]
