"""Guarded retraining: a lasting alert or a person has a challenger trained, which is promoted only beyond noise."""

from dataclasses import dataclass

from churn import migrate
from churn.columns import CHURN_MODEL
from churn.tables import processed
from churn_jobs.configuration import RetrainingConfig, TrainingConfig
from churn_jobs.days import DAY, RequestedDays, choose
from churn_jobs.prepared import processed_store
from churn_jobs.progress import say
from churn_jobs.shadow import shadow_rows
from churn_jobs.spark.job import Job
from churn_jobs.tracking import follow_roles
from churn_jobs.training import CURE, train
from driftline.engine.comparison.promotion import Decision, decide
from driftline.engine.comparison.trigger import alert_lasts, refusal
from driftline.errors import DriftlineError, Unavailable
from driftline.lineage import runs
from driftline.store import removal
from driftline.store.database import in_transaction
from driftline.store.job_lock import only_one
from driftline.store.versions import registry, retrainings, roles
from driftline.store.versions.registry import Version
from driftline.store.versions.retrainings import Retraining, RetrainingState, VerdictNews
from driftline.store.versions.roles import Author

JOB = "retrain"


@dataclass(frozen=True)
class Retrained:
    """The outcome of a retraining: the challenger's version, None if there is none, and the decision about it."""

    challenger: int | None
    decision: Decision


def retrain(job: Job, reason: str | None, training: TrainingConfig, config: RetrainingConfig) -> Retrained | None:
    """Train a challenger of the champion, compare both, and promote the better; None where nothing is to be done.

    Without a `reason` it needs an alert that lasts. The cool-down and the budget hold for both. The retraining is
    recorded with its reason; `driftline models rollback` returns to the champion before.

    Raises:
        NotFound: no version is ready, or no days are prepared. InvalidInput: the newest days cannot be trained on.
        Conflict: another retraining or training runs.
    """
    migrate.require_current(job.engine)
    with only_one(job.engine, JOB):
        champion = registry.load(job.engine, CHURN_MODEL)
        with job.engine.connect() as connection:
            news = retrainings.read_verdicts(connection, champion.key)
            earlier = retrainings.retrainings_of(connection, CHURN_MODEL)
        cause = reason or _lasting_alert(champion, news, earlier, config)
        if cause is None:
            say(f"No alert of version {champion.number} lasts {config.alert_chunks} chunks; nothing to do.")
            return None
        refused = refusal(job.now, [past.started_at for past in earlier if _counts(past)], config.limits)
        if refused is not None:
            say(f"Not trained again: {refused}. The cause was: {cause}.")
            return None
        return _recorded(job, champion, cause, news.last_event, training, config)


def _counts(past: Retraining) -> bool:
    """Return whether a retraining counts for cool-down and budget; one that failed trained nothing to compare."""
    return past.state is not RetrainingState.FAILED


def _lasting_alert(
    champion: Version, news: VerdictNews, earlier: list[Retraining], config: RetrainingConfig
) -> str | None:
    """Return the cause in words where the champion's alert lasts and has news since the last retraining of it."""
    read = max((past.event_number or 0 for past in earlier if past.champion == champion.number), default=0)
    since = alert_lasts(news.chunks, config.alert_chunks)
    if since is None or (news.last_event or 0) <= read:
        return None
    return f"version {champion.number} has alerted in every chunk with a verdict since {since:%Y-%m-%d}"


def _recorded(
    job: Job,
    champion: Version,
    cause: str,
    last_event: int | None,
    training: TrainingConfig,
    config: RetrainingConfig,
) -> Retrained:
    """Retrain, and record how it ended; a failure is recorded too."""
    say(f"A challenger is trained, because {cause}.")
    position = retrainings.begin(job.engine, champion.key, cause, last_event, job.now)
    try:
        retrained = _challenge(job, champion, training, config)
    except DriftlineError as error:
        failed = Decision(False, error.message, 0)
        retrainings.finish(job.engine, champion.key, position, RetrainingState.FAILED, failed, None, job.now)
        raise
    decision = retrained.decision
    state = RetrainingState.PROMOTED if decision.promote else RetrainingState.KEPT
    retrainings.finish(job.engine, champion.key, position, state, decision, retrained.challenger, job.now)
    _follow(job)
    runs.note(champion=champion.number, challenger=retrained.challenger, promoted=decision.promote)
    runs.note(model=champion.name, alert_event=last_event)
    return retrained


def _challenge(job: Job, champion: Version, training: TrainingConfig, config: RetrainingConfig) -> Retrained:
    """Train a challenger on the newest days, compare it with the champion, and change the roles."""
    pinned = Author(JOB, job.now, "it is used, and stays so while a challenger is compared with it")
    roles.promote(job.engine, CHURN_MODEL, champion.number, pinned)
    days = choose(RequestedDays(), in_transaction(job.engine, processed_store.available), processed.name, CURE)
    first = max(days.first, days.last - (config.recent_days - 1) * DAY)
    with runs.run("train_model"):
        trained = train(job, RequestedDays(first, days.last), training)
    if trained.version == champion.number:
        same = Decision(False, "the newest days and the configuration are those of the champion", 0)
        return Retrained(None, same)
    named = Author(JOB, job.now, f"trained on {first} to {days.last}, to be compared with version {champion.number}")
    roles.challenge(job.engine, CHURN_MODEL, trained.version, named)
    challenger = registry.load(job.engine, CHURN_MODEL, trained.version)
    decision = decide(shadow_rows(champion, challenger), config.rule)
    _change_roles(job, champion, challenger, decision)
    return Retrained(challenger.number, decision)


def _change_roles(job: Job, champion: Version, challenger: Version, decision: Decision) -> None:
    """Promote the challenger, or dismiss and retire it."""
    author = Author(JOB, job.now, decision.reason)
    if decision.promote:
        roles.promote(job.engine, CHURN_MODEL, challenger.number, author)
        say(f"Version {challenger.number} is the champion in place of {champion.number}: {decision.reason}.")
        say(f"To go back: `driftline models rollback {CHURN_MODEL}`.")
        return
    roles.dismiss(job.engine, CHURN_MODEL, author)
    removal.retire(job.engine, CHURN_MODEL, challenger.number)
    say(f"Version {champion.number} stays the champion, {challenger.number} is retired: {decision.reason}.")


def _follow(job: Job) -> None:
    """Let the aliases in MLflow follow the roles; where it is away, the next training does so."""
    if job.open_tracking is not None:
        try:
            follow_roles(job, job.open_tracking())
        except Unavailable as error:
            say(f"The aliases in MLflow were not changed: {error.message}")
