"""Every response of the API has an example in /openapi.json, and each example is valid."""

import pytest
from pydantic import BaseModel

from driftline.models.schema import ProposalOut, RemovedOut, RevisedOut
from monitoring.api.alerts.schemas import (
    ChannelOut,
    ChannelsOut,
    ChannelTestOut,
    DeliveriesOut,
    DeliveryOut,
    RetriedOut,
)
from monitoring.api.incidents.schemas import IncidentDetailOut, IncidentsOut, IncidentStateOut
from monitoring.api.ingest.schemas import (
    CorrectionsStored,
    DeletionsStored,
    IngestLogOut,
    LabelsStored,
    PredictionsStored,
)
from monitoring.api.models.schedule_schemas import MonitoredModelOut, PollingOut, ScheduleIn
from monitoring.api.models.schemas import ModelListOut
from monitoring.api.models.version_schemas import VersionReferenceOut, VersionStateOut
from monitoring.api.results.schemas import ResultsOut
from monitoring.api.runs.schemas import PollOut, RunDetailOut, RunOut, RunsOut
from monitoring.api.schemas import ChunksOut, LineageOut, RevisionsOut

MODELS = (
    *(ProposalOut, RemovedOut, RevisedOut, IncidentDetailOut, IncidentsOut, IncidentStateOut, CorrectionsStored),
    *(DeletionsStored, IngestLogOut, LabelsStored, PredictionsStored, ModelListOut, ResultsOut, PollOut, RunDetailOut),
    *(RunOut, RunsOut, MonitoredModelOut, PollingOut, ScheduleIn, ChunksOut, RevisionsOut, VersionReferenceOut),
    *(VersionStateOut, ChannelOut, ChannelsOut, ChannelTestOut, DeliveriesOut, DeliveryOut, RetriedOut, LineageOut),
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_example_is_valid(model: type[BaseModel]) -> None:
    example = model.model_json_schema()["example"]
    written = model.model_validate(example).model_dump(mode="json", by_alias=True)
    assert {name: written[name] for name in example}.keys() == example.keys()
