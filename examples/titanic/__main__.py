"""Run the example: train, register, serve, predict, monitor, and show what the monitor found."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from websockets.exceptions import WebSocketException

from driftline import DriftlineError, InvalidInput
from examples.entry_points import run_main
from examples.monitor_api import MONITOR_LOG, RequestRefused, alert_delivered, call, poll, wait_for
from examples.run import servers_of_run
from examples.servers import CHANNEL, Servers, add_server_options, tell
from examples.titanic.exploration import write_exploration
from examples.titanic.fairness import GroupDifference, differences
from examples.titanic.model import save, scored, split, train
from examples.titanic.passengers import read_passengers
from examples.titanic.sailing import MODEL, sail, send_labels
from examples.titanic.voyages import FIRST_DAY, VoyagePlan, draw_voyages
from examples.verdicts import chunk_lines

SPEC = Path(__file__).with_name("spec.yaml")
MODEL_API = f"/api/v1/models/{MODEL}"
MOST_CHUNKS = "1000"
NONE = -1
"""The option for voyages without emigrants."""
SERVED_SECONDS, STORED_SECONDS, ALERT_SECONDS = 60, 300, 120


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example; again, it finds everything as it is and adds nothing."""
    options = _parser().parse_args(arguments)
    plan = _plan(options.voyages, options.emigrants_from)
    data_options = {"voyages": options.voyages, "emigrants-from": max(options.emigrants_from, NONE)}
    with servers_of_run(options, MODEL, data_options, ("monitor", "serving")) as servers:
        _run(servers, plan)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.titanic", description=__doc__)
    add_server_options(parser)
    parser.add_argument("--voyages", type=int, default=30, help="voyages after the reference, one a day (30)")
    parser.add_argument(
        "--emigrants-from", type=int, default=15, help="number of the first with emigrants (15); -1: none"
    )
    return parser


def _plan(voyages: int, emigrants_from: int) -> VoyagePlan:
    """Return the plan of the options.

    Raises:
        InvalidInput: there are too few or too many voyages, or none has the number of the first one with emigrants.
    """
    if not 1 <= voyages <= int(MOST_CHUNKS):
        raise InvalidInput(f"--voyages is {voyages}; give 1 to {MOST_CHUNKS}.")
    if emigrants_from >= voyages:
        raise InvalidInput(
            f"--emigrants-from is {emigrants_from}, and there are {voyages} voyages; give 0 to {voyages - 1}, or -1."
        )
    return VoyagePlan(sailing=voyages, emigrants_from=None if emigrants_from < 0 else emigrants_from)


def _run(servers: Servers, plan: VoyagePlan) -> None:
    """Take all steps with servers that run."""
    folder = servers.var / MODEL
    folder.mkdir(exist_ok=True)
    passengers = read_passengers()
    write_exploration(passengers, folder / "exploration.html")
    reference, sailing = split(passengers)
    model = train(reference)
    save(model, str(folder / "model"), reference)
    voyages = draw_voyages(sailing, plan)
    is_reference = voyages["departure"] < plan.reference_until
    scored(model, voyages[is_reference]).to_csv(folder / "reference.csv", index=False)
    tell(_registered(servers, folder))
    analysis = voyages[~is_reference]
    tell(f"{sail(servers.serving, analysis):,} predictions served, over REST and a WebSocket.")
    send_labels(servers.monitor, analysis, folder / "spool")
    computed = partial(_computed, servers, len(analysis))
    chunks = wait_for(computed, "The chunk of the last prediction", STORED_SECONDS, log=MONITOR_LOG)
    if plan.emigrants_from is not None:
        tell(f"Emigrants sail from {plan.days[plan.reference + plan.emigrants_from]:%Y-%m-%d} on.")
    for line in chunk_lines(chunks):
        tell(line)
    _show_fairness(servers, plan, folder / "fairness.csv")
    if servers.hook_key and any(chunk["verdict"] == "alert" for chunk in chunks):
        tell(f"Alert delivered: {alert_delivered(servers.monitor, CHANNEL, MODEL, ALERT_SECONDS)['headline']}")
    _write_report(servers, folder / "report.pdf", plan)
    tell(f"Files: {folder}/exploration.html, fairness.csv and report.pdf")
    tell(f"Dashboard: {servers.monitor}/models/{MODEL}")


def _registered(servers: Servers, folder: Path) -> str:
    """Register the model with its artifact; the same one again is the same version."""
    output = servers.run(
        "-m", "driftline", "models", "add", MODEL, str(folder / "reference.csv"),
        "--timestamp", "departure", "--id", "id", "--label", "survived", "--score", "score",
        "--prediction", "prediction", "--spec", str(SPEC), "--artifact", str(folder / "model"), "--yes",
    )  # fmt: skip
    wait_for(lambda: _served(servers), "The model in the serving service", SERVED_SECONDS, log="its log")
    return output.splitlines()[-1]


def _served(servers: Servers) -> Any:
    """Return the served version if it is the newest one that is registered."""
    newest = call(servers.monitor, MODEL_API)["version"]
    try:
        served = call(servers.serving, "/model", model=MODEL)
    except RequestRefused:
        return None
    return served if served["version"] == newest else None


def _computed(servers: Servers, rows: int) -> Any:
    """Poll, and return the chunks if all rows that were predicted are in them."""
    poll(servers.monitor)
    chunks = call(servers.monitor, f"{MODEL_API}/chunks", **{"from": FIRST_DAY.isoformat()})["chunks"]
    return chunks if sum(chunk["rows"] for chunk in chunks) == rows else None


def _show_fairness(servers: Servers, plan: VoyagePlan, file: Path) -> None:
    """Print how far metrics differ between groups, and write them for all metrics to a file."""
    results = call(servers.monitor, f"{MODEL_API}/results", kind="realized", most=MOST_CHUNKS)["results"]
    measured = differences(results)
    pd.DataFrame(list(_fairness_rows(measured))).to_csv(file, index=False)
    tell("Fairness: the largest differences of recall between groups, on all voyages")
    for difference in (entry for entry in measured if entry.metric == "recall"):
        best, worst = difference.best, difference.worst
        certainty = "certain" if difference.is_certain else "not certain"
        tell(
            f"  {difference.feature}: {best.group} {best.value:.2f}, {worst.group} {worst.value:.2f}; "
            f"difference {difference.value:.2f} ± {difference.error:.2f}, {certainty}"
        )


def _fairness_rows(measured: list[GroupDifference]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table of differences between groups."""
    for difference in measured:
        yield {
            "feature": difference.feature,
            "metric": difference.metric,
            "best": difference.best.group,
            "best_value": difference.best.value,
            "worst": difference.worst.group,
            "worst_value": difference.worst.value,
            "difference": difference.value,
            "standard_error": difference.error,
            "certain": difference.is_certain,
        }


def _write_report(servers: Servers, file: Path, plan: VoyagePlan) -> None:
    first, last = (f"{plan.days[number]:%Y-%m-%d}" for number in (plan.reference, -1))
    servers.run(
        "-m", "driftline", "report", MODEL, "--output", str(file), "--monitor", servers.monitor,
        "--from", first, "--to", last,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run_main(main, DriftlineError, WebSocketException))
