"""A run removes only the folders of killed runs of the same job."""

from pathlib import Path

from churn_jobs.scratch import clear_dead, folder_of_run


def test_dead_runs_of_the_same_job_are_cleared(tmp_path: Path) -> None:
    dead, current, other_job = (folder_of_run(tmp_path, job) for job in ("train_model", "train_model", "prepare_data"))
    for folder in (dead, current, other_job):
        (folder / "pipeline").mkdir(parents=True)
    clear_dead(current)
    assert (dead.exists(), current.exists(), other_job.exists()) == (False, True, True)


def test_the_folder_is_created_when_needed(tmp_path: Path) -> None:
    clear_dead(folder_of_run(tmp_path, "train_model"))
    assert list(tmp_path.iterdir()) == []
