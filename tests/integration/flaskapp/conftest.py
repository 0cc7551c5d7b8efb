"""A simulator on real servers, and the counting of what it sent."""

from collections.abc import Callable, Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.publishing.confluent_publisher import ConfluentPublisher
from driftline.publishing.kafka_python_publisher import KafkaPythonPublisher
from driftline.publishing.publisher import BatchPublisher, Route
from driftline.settings import DatabaseSettings, KafkaLibrary, KafkaSettings
from flaskapp.app import create_app
from flaskapp.settings import Settings, SimulatorSettings
from stack.testing.fixtures import FreshTopic

MakePublisher = Callable[[Route], BatchPublisher]


@pytest.fixture
def engine(churn_engine: Engine) -> Engine:
    """An engine on a fresh schema that has the example's tables."""
    return churn_engine


@pytest.fixture
def route(kafka: str, fresh_topic: FreshTopic) -> Route:
    """Topics and a transactional id of this test's own."""
    batches = fresh_topic(cleanup_policy="compact")
    return Route(KafkaSettings.plain(kafka), fresh_topic(partitions=4), batches, f"relay-{batches}", fresh_topic())


@pytest.fixture(params=[ConfluentPublisher, KafkaPythonPublisher], ids=["confluent", "kafka-python"])
def make_publisher(request: pytest.FixtureRequest) -> Iterator[MakePublisher]:
    """Makes publishers, of each library in turn; they are closed at the end."""
    publishers: list[BatchPublisher] = []

    def make(route: Route) -> BatchPublisher:
        publishers.append(request.param(route))
        return publishers[-1]

    yield make
    for publisher in publishers:
        publisher.close()


@pytest.fixture
def simulator_settings(database_settings: DatabaseSettings, route: Route) -> Settings:
    """The settings of a simulator on this test's schema and topics."""
    return Settings(
        database_settings,
        route.kafka.model_copy(update={"publisher": KafkaLibrary.CONFLUENT}),
        SimulatorSettings(
            records_topic=route.records_topic,
            batches_topic=route.batches_topic,
            dead_letters_topic=route.dead_letters_topic or "",
            transactional_id=route.transactional_id,
        ),
    )


@pytest.fixture
def make_simulator(engine: Engine, simulator_settings: Settings) -> Iterator[Callable[[], APIFlask]]:
    """Makes a simulator on this test's migrated schema; each is closed at the end."""
    apps: list[APIFlask] = []

    def make() -> APIFlask:
        apps.append(create_app(simulator_settings))
        return apps[-1]

    yield make
    for app in apps:
        app.extensions["streaming"].close()
        app.extensions["streaming"].engine.dispose()


@pytest.fixture
def client(make_simulator: Callable[[], APIFlask]) -> FlaskClient:
    """A client of a running simulator."""
    client: FlaskClient = make_simulator().test_client()
    return client
