"""The live feed: every prediction goes to all subscribers, and none of them can hold up another."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_WAITING = 1_000
"""Predictions that wait for one subscriber; more are counted as missed."""
MOST_SUBSCRIBERS = 100

Event = Mapping[str, Any]


@dataclass(eq=False)
class Subscription:
    """The predictions of one model, or of all, that wait for one subscriber; `wake` is called when there are some."""

    model: str | None
    wake: Callable[[], None]
    most: int = MOST_WAITING
    _events: deque[Event] = field(default_factory=deque)
    _missed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, event: Event) -> None:
        """Add a prediction, or count it as missed where too many wait."""
        if self.model not in (None, event["model"]):
            return
        with self._lock:
            if len(self._events) >= self.most:
                self._missed += 1
                return
            self._events.append(event)
        self.wake()

    def take(self) -> list[Event]:
        """Return what waits, and as the last item how many predictions were missed after it, if any were."""
        with self._lock:
            events, missed = [*self._events], self._missed
            self._events.clear()
            self._missed = 0
        return [*events, {"missed": missed}] if missed else events


class PredictionFeed:
    """Passes predictions on to subscribers; publishing never waits for them. Safe for threads."""

    def __init__(self, most: int = MOST_SUBSCRIBERS) -> None:
        """Start without subscribers; at most `most` are taken."""
        self._subscriptions: frozenset[Subscription] = frozenset()
        self._lock = threading.Lock()
        self._most = most

    def publish(self, event: Event) -> None:
        """Pass a prediction on to every subscriber of its model."""
        for subscription in self._subscriptions:
            subscription.offer(event)

    @property
    def is_watched(self) -> bool:
        """Whether there are subscribers."""
        return bool(self._subscriptions)

    def add(self, subscription: Subscription) -> bool:
        """Add a subscriber; return False where there are as many as allowed."""
        with self._lock:
            if len(self._subscriptions) >= self._most:
                return False
            self._subscriptions |= {subscription}
            return True

    def remove(self, subscription: Subscription) -> None:
        """Remove a subscriber."""
        with self._lock:
            self._subscriptions -= {subscription}
