"""The folder named pyspark must never hide the library of that name."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "pyspark"


def test_the_folder_is_no_package() -> None:
    assert FOLDER.is_dir()
    assert not (FOLDER / "__init__.py").exists()
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_import_finds_the_library_with_the_checkout_on_the_path() -> None:
    assert str(ROOT) in sys.path
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    assert not Path(spec.origin).is_relative_to(FOLDER)


def test_scripts_are_short_and_shadow_no_standard_module() -> None:
    scripts = {path.stem: len(path.read_text().splitlines()) for path in FOLDER.glob("*.py")}
    assert scripts.keys() >= {"prepare_data", "train_model", "write_predictions"}
    assert not scripts.keys() & sys.stdlib_module_names
    assert max(scripts.values()) < 30


def test_the_readme_states_the_rule_in_six_lines() -> None:
    lines = (FOLDER / "README.md").read_text().splitlines()
    assert len(lines) == 6
    assert "never add an `__init__.py`" in " ".join(lines)
