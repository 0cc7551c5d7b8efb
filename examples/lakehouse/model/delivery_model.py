"""The model: a linear regression of hours until delivery on what is known when an order is placed. No I/O here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

NUMBERS = ("distance", "items", "weight_kg", "express")
WAREHOUSE, WAREHOUSES = "warehouse", ("south", "west")
"""The category, and those of its values that have a weight; the others are as the first warehouse."""
FEATURES = (*NUMBERS, WAREHOUSE)
LABEL, PREDICTION, ID, AT = "delivery_hours", "prediction", "id", "placed_at"


@dataclass(frozen=True)
class DeliveryModel:
    """The weights in hours: an intercept, one for each number, one for each warehouse."""

    intercept: float
    weights: Mapping[str, float]

    def predict(self, orders: pd.DataFrame) -> "pd.Series[float]":
        """Return the expected hours of each order, which are not negative."""
        hours = inputs_of(orders) @ pd.Series(self.weights) + self.intercept
        return hours.clip(lower=0).round(3)

    def to_json(self) -> str:
        """Return the weights as text."""
        return json.dumps({"intercept": self.intercept, "weights": dict(self.weights)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "DeliveryModel":
        """Return the model of a text that `to_json` wrote."""
        stored = json.loads(text)
        return cls(stored["intercept"], stored["weights"])


def train(orders: pd.DataFrame) -> DeliveryModel:
    """Return the model of delivered orders: the least squares, whose import takes a fraction of scikit-learn's."""
    inputs, hours = inputs_of(orders), orders[LABEL].to_numpy()
    means = inputs.to_numpy().mean(axis=0)
    coefficients, *_ = np.linalg.lstsq(inputs.to_numpy() - means, hours - hours.mean(), rcond=None)
    weights = dict(zip(map(str, inputs.columns), coefficients.tolist(), strict=True))
    return DeliveryModel(float(hours.mean() - means @ coefficients), weights)


def scored(model: DeliveryModel, orders: pd.DataFrame) -> pd.DataFrame:
    """Return orders as the monitor takes them: `id`, `placed_at`, features, `prediction` and `delivery_hours`."""
    return orders[[ID, AT, *FEATURES, LABEL]].assign(**{PREDICTION: model.predict(orders)})


def inputs_of(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers that have weights."""
    warehouses = {f"{WAREHOUSE}_{name}": (orders[WAREHOUSE] == name).astype(np.float64) for name in WAREHOUSES}
    return orders[[*NUMBERS]].astype(np.float64).assign(**warehouses)
