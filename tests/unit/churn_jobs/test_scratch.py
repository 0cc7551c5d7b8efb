"""A run clears what dead runs of its own job left, and nothing else."""

from pathlib import Path

from churn_jobs.scratch import clear_dead, folder_of_run


def test_dead_runs_of_the_same_job_are_cleared(tmp_path: Path) -> None:
    dead, own, other = (folder_of_run(tmp_path, job) for job in ("train_model", "train_model", "prepare_data"))
    for folder in (dead, own, other):
        (folder / "pipeline").mkdir(parents=True)
    clear_dead(own)
    assert (dead.exists(), own.exists(), other.exists()) == (False, True, True)


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    clear_dead(folder_of_run(tmp_path, "train_model"))
    assert list(tmp_path.iterdir()) == []
