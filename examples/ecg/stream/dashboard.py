"""The dashboard in Streamlit: live beats and predictions, both models' metrics, and what the monitor says.

It runs in the environment of tools.lock, and reads Kafka, MLflow's registry and the monitor's HTTP API, whose addresses
are `KAFKA_BOOTSTRAP_SERVERS`, `MLFLOW_TRACKING_URI` and `EXAMPLES_MONITOR`.
"""

import json
import os
from typing import Any
from urllib.request import Request, urlopen

import mlflow
import pandas as pd
import streamlit as st

from examples.ecg.steps import CHAMPION, MODEL, REGISTERED, SNAPSHOTS, XGBOOST
from examples.ecg.stream.newest_beats import newest_beats

SECONDS, REFRESH_SECONDS = 10, 10
METRICS = ("accuracy", "weighted_f1", "youden_j")
RATE, BEFORE = 360, 90


def registered_models(address: str) -> pd.DataFrame:
    """Return the metrics of both models, whose versions are found by their aliases."""
    client = mlflow.MlflowClient(address)
    champion = client.get_model_version_by_alias(REGISTERED, CHAMPION).version
    return pd.DataFrame([_model_row(client, alias, champion) for alias in (XGBOOST, SNAPSHOTS)])


def _model_row(client: Any, alias: str, champion: str) -> dict[str, str]:
    version = client.get_model_version_by_alias(REGISTERED, alias)
    values = client.get_run(version.run_id).data.metrics
    metrics = {name: f"{values[name]:.4f} ± {values[f'{name}_error']:.4f}" for name in METRICS}
    role = CHAMPION if version.version == champion else ""
    return {"model": alias, "version": version.version, "role": role, **metrics, "p": f"{values['paired_test_p']:.3f}"}


def verdicts(monitor: str) -> pd.DataFrame:
    """Return the monitor's chunks: day, beats, verdict, drift that lasts, and the first reason."""
    token = os.environ.get("DRIFTLINE_TOKEN")
    request = Request(  # noqa: S310  # http, as given
        f"{monitor}/api/v1/models/{MODEL}/chunks?from=2024-01-01",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        chunks = json.load(answer)["chunks"]
    return pd.DataFrame(
        {
            "day": chunk["start"][:10],
            "beats": chunk["rows"],
            "verdict": chunk["verdict"],
            "drift that lasts": ", ".join(chunk["drifted"]),
            "reason": chunk["reasons"][0] if chunk["reasons"] else "",
        }
        for chunk in chunks
    )


def show_beats() -> None:
    """Show the newest beat as a curve, and the newest predictions as a table."""
    beats = newest_beats(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
    if not beats:
        st.info("No beat has been scored yet.")
        return
    newest = beats[0]
    st.caption(f"{newest['id']} at {newest['at']}: {newest['prediction']}; in mV, by seconds from the annotation")
    seconds = [(number - BEFORE) / RATE for number in range(len(newest["samples"]))]
    st.line_chart(pd.DataFrame({"mV": newest["samples"]}, index=pd.Index(seconds, name="seconds")))
    rows = [
        {"beat": beat["id"], "prediction": beat["prediction"], "rr": beat["rr"], **beat["probability"]}
        for beat in beats
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def show() -> None:
    """Draw the page; beats are read again every few seconds."""
    st.set_page_config(page_title="Heartbeats", layout="wide")
    st.title("Heartbeats")
    st.header("Beats and predictions")
    beats = st.container()
    st.header("Models")
    st.dataframe(registered_models(os.environ["MLFLOW_TRACKING_URI"]), hide_index=True)
    st.header("Verdicts of the monitor")
    st.dataframe(verdicts(os.environ["EXAMPLES_MONITOR"]), hide_index=True)
    with beats:
        st.fragment(show_beats, run_every=REFRESH_SECONDS)()


if __name__ == "__main__":
    show()
