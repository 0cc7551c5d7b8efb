"""The schedule of a model as the command line has it: options in, words out. No I/O here."""

from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

from driftline.errors import InvalidInput
from driftline.store.polling.schedules import Schedule

_DURATION: TypeAdapter[timedelta] = TypeAdapter(timedelta)


def requested_schedule(every: str | None, cron: str | None, time_zone: str) -> Schedule:
    """Return the schedule of the options `--every`, `--cron` and `--time-zone`.

    Raises:
        InvalidInput: the interval is none, or both are given, or the schedule has no polls.
    """
    if every is not None and cron is not None:
        raise InvalidInput("A model is polled at an interval or by a cron expression; pass one of --every and --cron.")
    try:
        interval = None if every is None else _DURATION.validate_python(every)
    except ValidationError as error:
        raise InvalidInput(f"--every {every!r} is not an interval; write PT1H, PT30M or P1D.") from error
    schedule = Schedule(interval, cron, time_zone)
    schedule.require_valid()
    return schedule


def schedule_words(schedule: Schedule | None) -> str:
    """Return when a model is polled, in words."""
    if schedule is None:
        return "with all other models."
    if schedule.every is not None:
        return f"every {schedule.every}."
    return f"by the cron expression {schedule.cron!r} in {schedule.time_zone}."
