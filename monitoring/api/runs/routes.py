"""The routes of runs: poll now, and read what a run did."""

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice

from apiflask import APIBlueprint
from flask import Response, jsonify

from driftline.errors import NotFound
from driftline.http.access import needs
from driftline.http.api_description import Document, add_error_response
from driftline.http.authorization.scopes import Scope
from driftline.report.schema import ChunkBrief
from monitoring.api.runs.schemas import FailedChunk, ModelPolled, PollOut, RunDetailOut, RunOut, RunsOut
from monitoring.api.schemas import AdviceOut
from monitoring.poll.outcomes import PollOutcome, VersionPoll
from monitoring.report.advice import REGISTER_MODEL, advice_on
from monitoring.report.chunk_views import ChunkRange
from monitoring.run_record import RunRecord
from monitoring.service import MonitorService

POLL, PREFIX = "/run-monitoring", "/api/v1/runs"
NEWEST_CHUNKS = 7
"""How many chunks of each changed model a response contains."""
MOST_MODELS = 50
"""How many changed models a response describes; their fitted references are loaded one after the other."""
RETRY_SECONDS = "5"


def make_runs_api(monitor: MonitorService, wait_seconds: float) -> APIBlueprint:
    """Build the routes for a monitor; a request waits so long for its run, and is answered with a link after that."""
    api = APIBlueprint("runs", __name__, tag="Monitoring")

    @needs(Scope.OPERATE)
    def run_monitoring() -> PollOut | Response:
        """Compute every pending chunk, open and failed ones included, and return what changed."""
        run = monitor.runs.request()
        if not run.wait(wait_seconds):
            return _accepted(run.record)
        if run.problem is not None:
            raise run.problem
        return _poll_out(monitor, run.record)

    @needs(Scope.OPERATE)
    def runs() -> RunsOut:
        """List the runs of all monitors that were requested, changed something or failed, the newest first."""
        return RunsOut(runs=tuple(RunOut(**_head(run)) for run in monitor.runs.newest()))

    @needs(Scope.OPERATE)
    def run_detail(run: str) -> RunDetailOut:
        """Return one run of any monitor, with what it did once it has ended."""
        record = monitor.runs.read(run)
        result = None if record.summary is None or record.ended_at is None else _poll_out(monitor, record)
        return RunDetailOut(**_head(record), result=result)

    api.route(POLL, methods=["GET", "POST"])(api.output(PollOut)(run_monitoring))
    api.get(PREFIX)(api.output(RunsOut)(runs))
    api.get(f"{PREFIX}/<run>")(api.output(RunDetailOut)(run_detail))
    return api


def describe_runs(document: Document) -> None:
    """State the response of a poll that takes longer, and the refusals, for the OpenAPI document."""
    schema = RunOut.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    document.setdefault("components", {}).setdefault("schemas", {}).update({**definitions, "PollRun": schema})
    link = {"schema": {"type": "string"}, "description": "the path of the run"}
    for operation in document["paths"].get(POLL, {}).values():
        operation["responses"]["202"] = {
            "description": "The poll takes longer: read the run later.",
            "headers": {"Location": link, "Retry-After": {"schema": {"type": "string"}}},
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PollRun"}}},
        }
    detail = document["paths"].get(f"{PREFIX}/{{run}}")
    if detail is not None:
        add_error_response(detail["get"], NotFound)


def _accepted(run: RunRecord) -> Response:
    """Return the response to a request whose run has not ended."""
    response = jsonify(RunOut(**_head(run)).model_dump(mode="json"))
    response.status_code = HTTPStatus.ACCEPTED
    response.headers.update({"Location": f"{PREFIX}/{run.id}", "Retry-After": RETRY_SECONDS})
    return response


def _head(run: RunRecord) -> dict[str, object]:
    """Return the fields of `RunOut` by name."""
    return {
        "run": run.id,
        "state": run.state,
        "began_at": run.began_at,
        "ended_at": run.ended_at,
        "problem": run.problem,
    }


def _poll_out(monitor: MonitorService, run: RunRecord) -> PollOut:
    """Return the JSON object of a run that has ended without failure."""
    summary = run.summary
    assert summary is not None  # noqa: S101  (the run has ended and has not failed)
    changed = [poll for poll in summary.polls if poll.changed]
    models = tuple(islice(_models_polled(monitor, changed), MOST_MODELS))
    return PollOut(
        run=run.id,
        message=_message(summary),
        seconds=round(summary.seconds, 3),
        batches=summary.batches,
        chunks=summary.chunks,
        revisions=summary.revisions,
        verdicts=summary.verdicts,
        failed=summary.failed,
        models=models,
        more_models=max(len(changed) - MOST_MODELS, 0),
        missing=() if changed or monitor.models() else (AdviceOut.of(REGISTER_MODEL),),
    )


def _models_polled(monitor: MonitorService, polls: list[VersionPoll]) -> Iterator[ModelPolled]:
    """Yield the versions that polls have changed, without those that were removed since."""
    for poll in polls:
        try:
            status = monitor.status(poll.name, poll.key.version, ChunkRange())
        except NotFound:
            continue
        spec = status.version.spec
        failed = [(outcome.start, outcome.failure) for outcome in poll.outcomes if outcome.failure is not None]
        yield ModelPolled(
            name=poll.name,
            version=poll.key.version,
            computed=tuple(outcome.start for outcome in poll.outcomes if outcome.computed),
            failed=tuple(FailedChunk(start=start, reason=reason) for start, reason in failed),
            clock=status.clock,
            chunks=tuple(ChunkBrief.of(spec, chunk) for chunk in status.chunks[-NEWEST_CHUNKS:]),
            missing=tuple(map(AdviceOut.of, advice_on(spec, status.chunks))),
        )


def _message(summary: PollOutcome) -> str:
    if not (summary.batches or summary.outcomes):
        return "Nothing was pending."
    revised = f" ({summary.revisions} revised)" if summary.revisions else ""
    computed = f"{summary.chunks} chunks computed{revised}; {summary.verdicts} verdicts changed."
    return f"{computed} {summary.failed} failed." if summary.failed else computed
