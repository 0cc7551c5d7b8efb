"""Simulated subscribers for tests of retraining: habits that last, days that repeat them, and labels by a known law."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftline.engine.comparison.promotion import ShadowRows
from tests.unit.engine.comparison.days import STARTS

Floats = npt.NDArray[np.float64]
SUBSCRIBERS, FEATURES = 250, 4
LAW = np.array([1.2, -0.8, 0.4, 0.0])
DRIFTED_LAW = np.array([-0.4, 0.4, 1.2, 0.6])


@dataclass(frozen=True)
class LinearWorld:
    """Days of the same subscribers; `law` is how usage leads to label 1, and habits of each last."""

    seed: int

    def days(self, count: int, law: Floats, part: int) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
        """Return features, labels and subscribers of `count` days."""
        habits = np.random.default_rng([self.seed, 0]).normal(size=(SUBSCRIBERS, FEATURES))
        moods = np.random.default_rng([self.seed, 1]).normal(size=SUBSCRIBERS)
        draw = np.random.default_rng([self.seed, 2, part])
        subscribers = np.tile(np.arange(SUBSCRIBERS), count)
        features = habits[subscribers] + 0.3 * draw.normal(size=(len(subscribers), FEATURES))
        chance = 1 / (1 + np.exp(-(features @ law + moods[subscribers] - 1)))
        return features, (draw.random(len(subscribers)) < chance).astype(np.float64), subscribers


def trained(features: Floats, labels: Floats) -> Floats:
    """Return the weights of a linear model (Fisher's discriminant), which needs no library."""
    means = [features[labels == value].mean(axis=0) for value in (0, 1)]
    return np.asarray(np.linalg.solve(np.cov(features.T), means[1] - means[0]), np.float64)


def shadow_rows(seed: int, law: Floats) -> ShadowRows:
    """Return days scored by a champion of an earlier time under `LAW`, and by a challenger of the time of `law`."""
    world, count = LinearWorld(seed), len(STARTS)
    champion = trained(*world.days(20, LAW, 0)[:2])
    challenger = trained(*world.days(20, law, 1)[:2])
    features, labels, subscribers = world.days(count, law, 2)
    chunks = np.repeat(np.arange(count), SUBSCRIBERS)
    return ShadowRows(STARTS, chunks, subscribers, labels, features @ champion, features @ challenger)
