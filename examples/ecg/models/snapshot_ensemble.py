"""A snapshot ensemble: one network, trained with a cyclic learning rate and copied at each cycle's end. No I/O here.

Huang and others: Snapshot Ensembles: Train 1, Get M for Free (ICLR 2017). Within a cycle the
learning rate falls from its maximum to almost 0 by a cosine, and the network settles in a minimum; the next cycle
begins with the maximum again, and leaves it. The ensemble's probabilities are the mean of the copies'.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from examples.ecg.record.features import FEATURES, FloatArray
from examples.ecg.steps import CLASSES

CYCLES, EPOCHS, RATE = 5, 40, 0.1
"""Cycles, epochs of each, and the maximum of the learning rate."""
HIDDEN, BATCH, MOMENTUM, DECAY = 24, 32, 0.9, 1e-3


@dataclass(frozen=True)
class Network:
    """Weights of a network with one hidden layer, in which the last row of a layer is its intercept."""

    hidden: FloatArray
    output: FloatArray

    def probabilities(self, inputs: FloatArray) -> FloatArray:
        """Return each class's probability for standardized rows."""
        return _softmax(_with_one(np.tanh(_with_one(inputs) @ self.hidden)) @ self.output)

    def gradients(self, inputs: FloatArray, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the gradients of the mean cross-entropy with weight decay."""
        rows = _with_one(inputs)
        activations = _with_one(np.tanh(rows @ self.hidden))
        error = (_softmax(activations @ self.output) - targets) / len(inputs)
        inner = (error @ self.output[:-1].T) * (1 - activations[:, :-1] ** 2)
        return rows.T @ inner + DECAY * self.hidden, activations.T @ error + DECAY * self.output


@dataclass(frozen=True)
class SnapshotEnsemble:
    """The copies of one network at the ends of its cycles, and the means and scales of the features."""

    means: FloatArray
    scales: FloatArray
    snapshots: tuple[Network, ...]

    def probabilities(self, features: pd.DataFrame) -> FloatArray:
        """Return the mean of the snapshots' probabilities, a column for each of `CLASSES`."""
        mean: FloatArray = np.mean(self.by_snapshot(features), axis=0)
        return mean

    def by_snapshot(self, features: pd.DataFrame) -> list[FloatArray]:
        """Return the probabilities of each snapshot, in the order of the cycles."""
        inputs = (features[list(FEATURES)].to_numpy() - self.means) / self.scales
        return [network.probabilities(inputs) for network in self.snapshots]


def learning_rate(step: int, steps: int) -> float:
    """Return the learning rate at a step of a cycle: half a cosine from the maximum down."""
    return float(RATE / 2 * (np.cos(np.pi * step / steps) + 1))


def train(features: pd.DataFrame, symbols: "pd.Series[str]", *, seed: int) -> SnapshotEnsemble:
    """Train one network through all cycles; a snapshot is copied where the learning rate is lowest."""
    rng = np.random.default_rng(seed)
    raw = features[list(FEATURES)].to_numpy()
    means, scales = raw.mean(axis=0), np.where(raw.std(axis=0) > 0, raw.std(axis=0), 1.0)
    inputs = (raw - means) / scales
    targets = np.array([[float(symbol == name) for name in CLASSES] for symbol in symbols])
    network = Network(_drawn(rng, inputs.shape[1], HIDDEN), _drawn(rng, HIDDEN, len(CLASSES)))
    snapshots = []
    for _ in range(CYCLES):
        network = _cycle(network, inputs, targets, rng)
        snapshots.append(network)
    return SnapshotEnsemble(means, scales, tuple(snapshots))


def _cycle(network: Network, inputs: FloatArray, targets: FloatArray, rng: np.random.Generator) -> Network:
    """Return the network after a cycle of stochastic gradient descent, which begins where the last one ended."""
    batches = len(inputs) // BATCH
    velocities = [np.zeros_like(network.hidden), np.zeros_like(network.output)]
    for epoch in range(EPOCHS):
        order = rng.permutation(len(inputs))
        for batch in range(batches):
            rows = order[batch * BATCH : (batch + 1) * BATCH]
            rate = learning_rate(epoch * batches + batch, EPOCHS * batches)
            gradients = network.gradients(inputs[rows], targets[rows])
            velocities = [
                MOMENTUM * velocity - rate * slope for velocity, slope in zip(velocities, gradients, strict=True)
            ]
            network = Network(network.hidden + velocities[0], network.output + velocities[1])
    return network


def _drawn(rng: np.random.Generator, inputs: int, outputs: int) -> FloatArray:
    """Draw the weights of a layer; its intercepts are 0."""
    weights = rng.normal(0, 1 / np.sqrt(inputs), (inputs, outputs))
    return np.vstack([weights, np.zeros(outputs)])


def _with_one(rows: FloatArray) -> FloatArray:
    return np.column_stack([rows, np.ones(len(rows))])


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    normalized: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return normalized
