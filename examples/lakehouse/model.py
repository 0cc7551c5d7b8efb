"""The model: a linear regression of hours until delivery on what is known when an order is placed. No I/O here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

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
        hours = _inputs(orders) @ pd.Series(self.weights) + self.intercept
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
    """Return the model of delivered orders."""
    inputs = _inputs(orders)
    regression = LinearRegression().fit(inputs.to_numpy(), orders[LABEL].to_numpy())
    weights = dict(zip(map(str, inputs.columns), regression.coef_.tolist(), strict=True))
    return DeliveryModel(float(regression.intercept_), weights)


def scored(model: DeliveryModel, orders: pd.DataFrame) -> pd.DataFrame:
    """Return orders as the monitor takes them: `id`, `placed_at`, features, `prediction` and `delivery_hours`."""
    return orders[[ID, AT, *FEATURES, LABEL]].assign(**{PREDICTION: model.predict(orders)})


def _inputs(orders: pd.DataFrame) -> pd.DataFrame:
    warehouses = {f"{WAREHOUSE}_{name}": (orders[WAREHOUSE] == name).astype(np.float64) for name in WAREHOUSES}
    return orders[[*NUMBERS]].astype(np.float64).assign(**warehouses)
