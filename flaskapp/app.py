"""The simulator's composition root: the only place that builds its engine, publisher and app."""

from apiflask import APIFlask

from churn.truth import with_truth
from driftline.clock import utc_now
from driftline.http import access, metrics, web
from driftline.publishing.publisher import BatchPublisher, Route
from driftline.settings import KafkaLibrary
from driftline.store.database import make_engine
from flaskapp.page.routes import make_page
from flaskapp.routes import add_routes
from flaskapp.settings import Settings
from flaskapp.stream.service import Streaming
from flaskapp.stream_metrics import read_streams


def make_publisher(settings: Settings) -> BatchPublisher:
    """Build the publisher that `KAFKA_PUBLISHER` selects; only its library is imported."""
    simulator = settings.simulator
    route = Route(
        kafka=settings.kafka,
        records_topic=simulator.records_topic,
        batches_topic=simulator.batches_topic,
        transactional_id=simulator.transactional_id,
        dead_letters_topic=simulator.dead_letters_topic,
    )
    if settings.kafka.publisher is KafkaLibrary.KAFKA_PYTHON:
        from driftline.publishing.kafka_python_publisher import KafkaPythonPublisher  # noqa: PLC0415

        return KafkaPythonPublisher(route)
    from driftline.publishing.confluent_publisher import ConfluentPublisher  # noqa: PLC0415

    return ConfluentPublisher(route)


def create_app(settings: Settings) -> APIFlask:
    """Build the simulator and start its threads, which resume the stream and publishing of the previous process.

    `app.extensions["streaming"]` is its `Streaming`; close it to stop the threads.

    Raises:
        InvalidInput: the host is not loopback and no tokens are set.
    """
    app = web.make_app("flaskapp.page", "Driftline simulator")  # the folder with static/ and templates/
    access.guard(app, settings.simulator.host, settings.access)
    engine = with_truth(make_engine(settings.database))
    streaming = Streaming(engine, make_publisher(settings), utc_now)
    web.install(app, streaming.require_ready, polled=["/stream", metrics.PATH])
    service_metrics = metrics.ServiceMetrics()
    service_metrics.install(app)
    service_metrics.watch_pool(engine)
    service_metrics.add_reader(lambda: read_streams(engine, utc_now))
    add_routes(app, streaming)
    app.register_blueprint(make_page(streaming))
    app.extensions["streaming"] = streaming
    streaming.start_work()
    return app
