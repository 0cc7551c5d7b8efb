"""The commands `driftline models ...`: they register, list, show, revise and remove models."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from driftline.backtesting import command as backtest_command

models = typer.Typer(
    help="Register, list, show, revise and remove models; requires DB_USER, DB_PASSWORD and DRIFTLINE_OBJECTS.",
    no_args_is_help=True,
)

NAME = Annotated[str, typer.Argument(help="Name of the model.", show_default=False)]
REFERENCE = Annotated[
    Path, typer.Argument(help="CSV (.csv, .csv.gz), Parquet (.parquet, .pq) or Arrow (.arrow).", show_default=False)
]
UNTIL = Annotated[
    str | None,
    typer.Option(help="End of the reference: the first instant after it, ISO 8601 (default: all rows are in it)."),
]
PERIOD = Annotated[str | None, typer.Option(help="1h, 1d, 1w, 1mo or 1q.")]
ARTIFACT = Annotated[
    str | None, typer.Option(help="Folder, gs:// or s3:// address of the trained model, for programs that serve it.")
]
MLFLOW = Annotated[
    str | None,
    typer.Option(help="models:/NAME@ALIAS or models:/NAME/VERSION: features and artifact of MLflow's registry."),
]
YES = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
JSON = Annotated[bool, typer.Option("--json", help="Write JSON.")]
VERSION = Annotated[int | None, typer.Option(help="Version of the model (default: the one that is used).")]
REASON = Annotated[str, typer.Option(help="Why; it is kept with the change.", show_default=False)]
BY = Annotated[str | None, typer.Option(help="Who changes it (default: your account's name).", show_default=False)]
SPEC = Annotated[Path | None, typer.Option(help="YAML file with the fields to change; options win over it.")]
LABEL_DELAY = Annotated[
    str | None, typer.Option(help="How long labels may take after their predictions, such as P3D or PT12H.")
]

OWNER = Annotated[str | None, typer.Option(help="Person or team responsible for the model (default: as it is).")]


@models.command()
def add(
    name: NAME,
    reference: REFERENCE,
    timestamp: backtest_command.TIMESTAMP,
    label: backtest_command.LABEL = None,
    prediction: backtest_command.PREDICTION = None,
    score: backtest_command.SCORE = None,
    id: backtest_command.ID = None,
    features: backtest_command.FEATURES = None,
    categorical: backtest_command.CATEGORICAL = None,
    reference_until: UNTIL = None,
    chunk: PERIOD = None,
    label_delay: LABEL_DELAY = None,
    problem: backtest_command.PROBLEM = None,
    positive: backtest_command.POSITIVE = None,
    na_values: backtest_command.NA_VALUES = None,
    alert_budget: backtest_command.ALERT_BUDGET = None,
    alert_on: backtest_command.ALERT_ON = None,
    spec: backtest_command.SPEC = None,
    artifact: ARTIFACT = None,
    mlflow: MLFLOW = None,
    owner: OWNER = None,
    yes: YES = False,
    json: JSON = False,
) -> None:
    """Register a model from a file with its reference; what is inferred is shown, and asked for, before.

    The same file and options again are the same version; others are the model's next version.
    """
    from driftline.backtesting.options import command_option, split_names  # noqa: PLC0415
    from driftline.backtesting.request.request import Request  # noqa: PLC0415
    from driftline.models.proposal import propose_model  # noqa: PLC0415  (the engine is slow to import)
    from driftline.models.schema import ProposalOut  # noqa: PLC0415
    from driftline.objects import open_store  # noqa: PLC0415

    request = Request(
        timestamp=timestamp,
        label=label,
        prediction=prediction,
        id=id,
        reference_until=reference_until,
        chunk=chunk,
        label_delay=label_delay,
        problem=problem,
        positive=positive,
        na_values=split_names(na_values or "", ()),
        alert_budget=alert_budget,
        alert_on=alert_on,
        name=name,
        option=command_option,
    )
    recorded = _store_recorded(mlflow, name) if mlflow else None
    if recorded:
        features, categorical = features or recorded.features, categorical or recorded.categorical
        artifact = artifact or recorded.artifact
    names = {"features": features, "categorical": categorical}
    source, resolved = backtest_command.prepare(reference, request, score or [], names, spec, {})
    with backtest_command.show_progress() as progress:
        proposal = propose_model(source, resolved, name, progress, forks=True)
    for line in proposal_lines(proposal):
        typer.echo(line, err=True)
    if not yes and not typer.confirm(f"Register {name}?", err=True):
        raise typer.Exit(1)
    address = open_store(artifact).address if artifact else None
    origin = {"mlflow": recorded.link.as_details()} if recorded else {}
    version = _registered_models().register(replace(proposal, artifact_uri=address, origin=origin, owner=owner))
    if recorded:
        recorded.link_back(name, version)
    if json:
        typer.echo(ProposalOut.of(proposal, version).model_dump_json(indent=2))
    else:
        typer.echo(f"{name}: version {version} is registered.")


def _store_recorded(address: str, name: str) -> Any:
    """Find a version in MLflow's registry and store its files."""
    from driftline.models.recorded_model import find_recorded  # noqa: PLC0415  (MLflow is slow to import)

    recorded = find_recorded(address, name)
    for line in recorded.lines:
        typer.echo(line, err=True)
    return recorded


def proposal_lines(proposal: Any) -> Iterator[str]:
    """Yield a proposal as lines: the notes first, then what was inferred, the columns and what will be seen."""
    inferred, reference = proposal.inferred, proposal.fitted
    yield from (f"note {inference}" for inference in inferred if inference.notable)
    yield from (f"inferred {inference}" for inference in inferred if not inference.notable)
    spec = proposal.spec
    yield f"{proposal.name}: {spec.problem} model with {len(spec.columns)} features, in chunks of {spec.period}"
    for column in spec.columns:
        yield f"  {proposal.layout.sources[column.name]!r} ({column.kind})"
    since, until = reference.since.isoformat(), reference.until.isoformat()
    yield f"reference of {reference.rows:,} rows in {reference.chunks} chunks, {since} to {until}"
    yield from proposal.visible_lines


@models.command("list")
def list_models(json: JSON = False) -> None:
    """List the models with the version that is used and the verdict of its newest chunk."""
    from driftline.models.schema import ModelSummaryOut  # noqa: PLC0415

    summaries = _registered_models().summaries()
    if json:
        _print_json([ModelSummaryOut.of(summary).model_dump(mode="json") for summary in summaries])
        return
    for summary in summaries:
        version = f"version {summary.version}" if summary.version else "no ready version"
        chunk = summary.newest_chunk.strftime("%Y-%m-%d %H:%M") if summary.newest_chunk else "no chunk yet"
        columns = f"{summary.name:<24} {version:<16} {summary.problem or '-':<10} {chunk:<16}"
        typer.echo(f"{columns} {summary.state or '-':<14} {summary.owner or '-'}")
    if not summaries:
        typer.echo("No model is registered; `driftline models add NAME FILE` registers one.")


@models.command()
def show(name: NAME, json: JSON = False) -> None:
    """Show a model: its versions, specs and columns, its reference, and what the monitor can see."""
    from driftline.models.detail import model_detail  # noqa: PLC0415

    detail = model_detail(_registered_models(), name)
    if json:
        _print_json(detail.model_dump(mode="json"))
        return
    typer.echo(f"owner: {detail.owner or 'none'}")
    for version in detail.versions:
        revision = version.specs[-1]
        state = f"{version.state}, {version.role}" if version.role else version.state
        typer.echo(f"{name} version {version.version} ({state}), spec revision {revision.revision}")
        typer.echo(f"  columns: {version.columns.model_dump_json(exclude_none=True)}")
        for field, value in revision.spec.items():
            typer.echo(f"  {field}: {value}")
    if detail.reference is not None:
        typer.echo(f"reference of {detail.reference.rows:,} rows in {detail.reference.chunks} chunks")
    for line in detail.visible.words if detail.visible else ():
        typer.echo(line)


@models.command()
def revise(
    name: NAME,
    spec: SPEC = None,
    chunk: PERIOD = None,
    label_delay: LABEL_DELAY = None,
    alert_budget: backtest_command.ALERT_BUDGET = None,
    alert_on: backtest_command.ALERT_ON = None,
    version: VERSION = None,
    owner: OWNER = None,
) -> None:
    """Change the spec of a version: every chunk is computed again, and earlier results stay readable.

    --owner changes the owner of the model, and computes nothing; --owner '' takes it away.
    """
    from driftline.spec_input import read_spec  # noqa: PLC0415

    options = {"period": chunk, "label_delay": label_delay, "alert_budget": alert_budget, "alert_on": alert_on}
    fields = {field: value for field, value in options.items() if value is not None}
    changes = (read_spec(spec) if spec else {}) | fields
    if not changes and owner is None:
        raise typer.BadParameter(
            "nothing is to change; pass --spec FILE, --chunk, --label-delay, an alert option or --owner"
        )
    registered = _registered_models()
    if owner is not None:
        registered.set_owner(name, owner or None)
        typer.echo(f"{name} has {f'the owner {owner}' if owner else 'no owner'}.")
    if not changes:
        return
    revised = registered.revise(name, changes, version)
    typer.echo(
        f"{name} version {revised.version} has spec revision {revised.revision}; {revised.pending_chunks} chunks wait "
        "to be computed."
    )


@models.command()
def retire(name: NAME, version: Annotated[int, typer.Option(help="Version to retire.")], yes: YES = False) -> None:
    """Retire a version: it accepts no further rows and is no longer polled; its results stay readable."""
    if not yes and not typer.confirm(f"Retire version {version} of {name}?", err=True):
        raise typer.Exit(1)
    _registered_models().retire(name, version)
    typer.echo(f"{name}: version {version} is retired.")


@models.command()
def roles(name: NAME, json: JSON = False) -> None:
    """Show which version of a model is champion and which challenger, and who changed that, when and why."""
    from driftline.models.schema import RolesOut  # noqa: PLC0415

    registered = _registered_models()
    output = RolesOut.of(name, registered.roles(name), registered.role_changes(name))
    if json:
        _print_json(output.model_dump(mode="json"))
        return
    for role, version in (("champion", output.champion), ("challenger", output.challenger)):
        typer.echo(f"{role}: {'none' if version is None else f'version {version}'}")
    if output.champion is None:
        typer.echo(f"used: {'none' if output.used is None else f'version {output.used}, the newest that is ready'}")
    for change in output.changes:
        replaced = f" (before: {change.replaced})" if change.replaced else ""
        line = f"{change.changed_at:%Y-%m-%d %H:%M} {change.action} version {change.version}{replaced}"
        typer.echo(f"{line}, by {change.changed_by}: {change.reason}")


@models.command()
def retrainings(name: NAME, json: JSON = False) -> None:
    """Show when challengers were trained, why, how each compared with the champion, and what followed."""
    from driftline.models.schema import RetrainingOut  # noqa: PLC0415

    listed = [RetrainingOut.of(retraining) for retraining in _registered_models().retrainings(name)]
    if json:
        _print_json([retraining.model_dump(mode="json") for retraining in listed])
        return
    for entry in listed:
        challenger = f" by version {entry.challenger}" if entry.challenger else ""
        typer.echo(f"{entry.started_at:%Y-%m-%d %H:%M} version {entry.champion} challenged{challenger}: {entry.state}")
        typer.echo(f"  because {entry.cause}")
        typer.echo(f"  {entry.reason or 'not decided yet'}")
    if not listed:
        typer.echo(f"{name} was not trained again.")


@models.command()
def promote(
    name: NAME,
    version: Annotated[int, typer.Argument(help="Version to promote.", show_default=False)],
    reason: REASON,
    by: BY = None,
) -> None:
    """Make a version the champion of its model: it is served, and used wherever no version is named."""
    registered = _registered_models()
    if registered.promote(name, version, reason, by or _account()):
        typer.echo(f"{name}: version {version} is the champion.")
    else:
        typer.echo(f"{name}: version {version} is the champion already; nothing changed.")
    _follow_roles(registered, name)


@models.command()
def rollback(name: NAME, reason: REASON = "rolled back", by: BY = None) -> None:
    """Return to the version that was used before the champion; once more, to the one before that."""
    registered = _registered_models()
    version = registered.rollback(name, reason, by or _account())
    typer.echo(f"{name}: version {version} is the champion again.")
    _follow_roles(registered, name)


@models.command()
def remove(name: NAME, yes: YES = False) -> None:
    """Remove a model with everything that it stored: versions, predictions, labels, results and references."""
    if not yes and not typer.confirm(f"Remove {name} with all its predictions, labels and results?", err=True):
        raise typer.Exit(1)
    typer.echo(f"{name} is removed: {_registered_models().remove(name):,} rows were deleted.")


@models.command()
def retention(
    name: NAME,
    archive_after: Annotated[int | None, typer.Option(help="Days until rows leave MySQL for the archive.")] = None,
    remove_after: Annotated[int | None, typer.Option(help="Days until archived rows are removed for good.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep all rows where they are.")] = False,
) -> None:
    """Show or set the retention of a model: after how many days its rows are archived, and removed.

    The days begin when a chunk has closed and its labels were due. `driftline db archive` does what is due.
    """
    from driftline.store.archive.retention import Retention  # noqa: PLC0415  (it needs a database)

    registered = _registered_models()
    periods = {"archive_after_days": archive_after, "remove_after_days": remove_after}
    if keep:
        registered.set_retention(name, Retention())
    elif any(days is not None for days in periods.values()):
        registered.set_retention(name, Retention(**periods))
    present = registered.retention(name)
    for effect, days in (("archived", present.archive_after_days), ("removed", present.remove_after_days)):
        typer.echo(f"{name}: rows are {effect} {'never' if days is None else f'after {days} days'}")


@models.command()
def schedule(
    name: NAME,
    every: Annotated[str | None, typer.Option(help="Interval, ISO 8601: PT1H, P1D.")] = None,
    cron: Annotated[str | None, typer.Option(help="Minute, hour, day, month, day of the week: '0 6 * * 1-5'.")] = None,
    time_zone: Annotated[str, typer.Option(help="Time zone of --cron, such as Europe/Berlin.")] = "UTC",
    with_others: Annotated[bool, typer.Option("--with-others", help="Poll it with all other models again.")] = False,
) -> None:
    """Show or set when a model is polled: at an interval, by a cron expression, or with all other models."""
    from driftline.models.schedule_options import requested_schedule, schedule_words  # noqa: PLC0415

    registered = _registered_models()
    if with_others:
        registered.set_schedule(name, None)
    elif every is not None or cron is not None:
        registered.set_schedule(name, requested_schedule(every, cron, time_zone))
    typer.echo(f"{name} is polled {schedule_words(registered.schedule(name))}")


def _account() -> str:
    """Return the name of the account that runs this program."""
    from getpass import getuser  # noqa: PLC0415

    try:
        return getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "driftline models"


def _follow_roles(registered: Any, name: str) -> None:
    """Set the aliases in MLflow by the roles; if MLflow is unavailable, report it and continue."""
    from driftline.models.followed_roles import follow_roles  # noqa: PLC0415

    for line in follow_roles(registered, name):
        typer.echo(line, err=True)


def _registered_models() -> Any:
    """Connect to the database and the object store that the environment names."""
    from driftline.models.registered_models import RegisteredModels  # noqa: PLC0415

    return RegisteredModels.from_environment()


def _print_json(value: Any) -> None:
    from json import dumps  # noqa: PLC0415

    typer.echo(dumps(value, indent=2, ensure_ascii=False))
