"""Makes events of OpenLineage of runs, by the classes of its client library, and sends them.

The library's own client is not used: it adds the environment's and git's facts to events, reads files of settings from
the current folder, and lets a caller wait.
"""

import os
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import attr
import requests
from openlineage.client import event_v2, facet_v2
from openlineage.client.serde import Serde
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport, TokenProvider

from driftline.lineage.datasets import Dataset, Field
from driftline.lineage.outlet import EventRefused, Outlet, ReceiverAway
from driftline.lineage.runs import EventCounts, Fact, RunEvent
from driftline.lineage.settings import PATH, LineageSettings
from driftline.version import __version__

PRODUCER = f"urn:driftline:{__version__}"
FACET = "driftline_run"
"""The facet of a run with Driftline's versions, names of batches and counts."""
FACET_SCHEMA = "urn:driftline:facet:1"
SEND_SECONDS = 5.0
"""How long a receiver may take for an event."""
TRY_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class LineageRecorder:
    """The recorder of a process: an outlet for each receiver of the settings."""

    def __init__(self, settings: LineageSettings) -> None:
        """Start the outlets."""
        namespace, self._outlets = settings.namespace, list[Outlet]()
        if settings.address:
            receiver = HttpReceiver(settings)
            self._outlets.append(Outlet("http", lambda event: receiver.send(open_lineage_event(event, namespace))))
        if settings.file is not None:
            file = EventFile(settings.file)
            self._outlets.append(Outlet("file", lambda event: file.add(open_lineage_event(event, namespace))))

    def add(self, event: RunEvent) -> None:
        """Queue an event for each receiver."""
        for outlet in self._outlets:
            outlet.add(event)

    def counts(self) -> Mapping[str, EventCounts]:
        """Return what became of the events by receiver."""
        return {outlet.name: outlet.counts() for outlet in self._outlets}

    def close(self) -> None:
        """Deliver what waits."""
        for outlet in self._outlets:
            outlet.close()


class HttpReceiver:
    """A receiver over HTTP."""

    def __init__(self, settings: LineageSettings) -> None:
        """Connect to nothing."""
        token = settings.token and settings.token.get_secret_value()
        auth = ApiKeyTokenProvider({"api_key": token}) if token else TokenProvider({})
        url = settings.url.removesuffix(PATH) + "/"
        retry = {"total": 0}  # the outlet tries again
        config = HttpConfig(url, PATH.removeprefix("/"), timeout=SEND_SECONDS, auth=auth, retry=retry)
        self._transport = HttpTransport(config)

    def send(self, event: event_v2.RunEvent) -> None:
        """Send an event.

        Raises:
            ReceiverAway: it may be sent again. EventRefused: it is not taken.
        """
        try:
            self._transport.emit(event)
        except requests.HTTPError as error:
            status = error.response.status_code
            message = f"The receiver of lineage answers with status {status}."
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in TRY_AGAIN:
                raise ReceiverAway(message) from error
            raise EventRefused(message) from error
        except requests.RequestException as error:
            raise ReceiverAway from error


class EventFile:
    """A file of events, one line of JSON each; several processes may add to it."""

    def __init__(self, file: Path) -> None:
        """Open nothing."""
        self._file = file

    def add(self, event: event_v2.RunEvent) -> None:
        """Add a line by one write, so that lines of several processes stay whole.

        Raises:
            ReceiverAway: the file cannot be written.
        """
        line = f"{Serde.to_json(event)}\n".encode()
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ReceiverAway(
                f"Events cannot be added to {self._file}: {error.strerror}; correct DRIFTLINE_LINEAGE_FILE."
            ) from error


@attr.define
class DriftlineRunFacet(facet_v2.RunFacet):
    """Driftline's facts of a run: versions, names of batches, counts."""

    facts: dict[str, Fact] = attr.field(factory=dict)

    @staticmethod
    def _get_schema() -> str:
        return FACET_SCHEMA


def open_lineage_event(event: RunEvent, namespace: str) -> event_v2.RunEvent:
    """Return an event of OpenLineage."""
    return event_v2.RunEvent(
        eventType=event_v2.RunState(event.state),
        eventTime=event.at.isoformat(),
        producer=PRODUCER,
        run=event_v2.Run(str(event.run_id), _run_facets(event, namespace)),
        job=event_v2.Job(namespace, event.job, {"jobType": _job_type()}),
        inputs=[_input(dataset, namespace) for dataset in event.inputs],
        outputs=[_output(dataset, namespace) for dataset in event.outputs],
    )


def _run_facets(event: RunEvent, namespace: str) -> dict[str, facet_v2.RunFacet]:
    """Return the facets of a run: the engine with the version of the code, facts, parent, and error."""
    engine = facet_v2.processing_engine_run.ProcessingEngineRunFacet(__version__, "driftline", producer=PRODUCER)
    facets: dict[str, facet_v2.RunFacet] = {"processing_engine": engine}
    if event.facts:
        facets[FACET] = DriftlineRunFacet(dict(event.facts), producer=PRODUCER)
    if event.parent is not None:
        run_id, job = event.parent
        parent = facet_v2.parent_run
        facets["parent"] = parent.ParentRunFacet(parent.Run(str(run_id)), parent.Job(namespace, job), producer=PRODUCER)
    if event.error is not None:
        facets["errorMessage"] = facet_v2.error_message_run.ErrorMessageRunFacet(
            event.error, "PYTHON", producer=PRODUCER
        )
    return facets


def _job_type() -> facet_v2.JobFacet:
    return facet_v2.job_type_job.JobTypeJobFacet("BATCH", "DRIFTLINE", "JOB", producer=PRODUCER)


def _input(dataset: Dataset, namespace: str) -> event_v2.InputDataset:
    statistics = facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet
    counted: dict[str, facet_v2.InputDatasetFacet] = {}
    if dataset.rows is not None:
        counted["inputStatistics"] = statistics(dataset.rows, producer=PRODUCER)
    return event_v2.InputDataset(
        dataset.namespace or namespace, dataset.name, facets=_facets(dataset), inputFacets=counted
    )


def _output(dataset: Dataset, namespace: str) -> event_v2.OutputDataset:
    statistics = facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
    counted: dict[str, facet_v2.OutputDatasetFacet] = {}
    if dataset.rows is not None:
        counted["outputStatistics"] = statistics(dataset.rows, producer=PRODUCER)
    return event_v2.OutputDataset(
        dataset.namespace or namespace, dataset.name, facets=_facets(dataset), outputFacets=counted
    )


def _facets(dataset: Dataset) -> dict[str, facet_v2.DatasetFacet]:
    """Return the columns and the version of a dataset, where they are known."""
    facets: dict[str, facet_v2.DatasetFacet] = {}
    if dataset.fields:
        facets["schema"] = facet_v2.schema_dataset.SchemaDatasetFacet(
            [_column(field) for field in dataset.fields], producer=PRODUCER
        )
    if dataset.version is not None:
        facets["version"] = facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet(
            dataset.version, producer=PRODUCER
        )
    return facets


def _column(field: Field) -> facet_v2.schema_dataset.SchemaDatasetFacetFields:
    return facet_v2.schema_dataset.SchemaDatasetFacetFields(field.name, field.type)
