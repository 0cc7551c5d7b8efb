"""The live feed: a slow subscriber is told what it missed, and holds up nobody."""

from serving.feed import PredictionFeed, Subscription


def subscription(model: str | None = None, most: int = 3) -> tuple[Subscription, list[int]]:
    woken: list[int] = []
    return Subscription(model, lambda: woken.append(1), most), woken


def test_a_subscriber_gets_the_predictions_of_its_model_in_order() -> None:
    feed = PredictionFeed()
    (flights, woken), (every, _) = subscription("flights"), subscription()
    assert feed.add(flights)
    assert feed.add(every)
    events = [{"model": "flights", "id": "1"}, {"model": "churn", "id": "2"}, {"model": "flights", "id": "3"}]
    for event in events:
        feed.publish(event)
    assert flights.take() == [events[0], events[2]]
    assert len(woken) == 2
    assert every.take() == events
    assert flights.take() == []


def test_a_slow_subscriber_is_told_how_many_it_missed() -> None:
    slow, woken = subscription(most=3)
    for number in range(10):
        slow.offer({"model": "flights", "id": str(number)})
    assert slow.take() == [*({"model": "flights", "id": str(number)} for number in range(3)), {"missed": 7}]
    assert len(woken) == 3
    slow.offer({"model": "flights", "id": "10"})
    assert slow.take() == [{"model": "flights", "id": "10"}]


def test_only_so_many_subscribers_are_taken() -> None:
    feed = PredictionFeed(most=1)
    first, second = subscription()[0], subscription()[0]
    assert feed.add(first)
    assert not feed.add(second)
    feed.remove(first)
    assert not feed.is_watched
    assert feed.add(second)
