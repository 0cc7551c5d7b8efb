"""The parts of the lakehouse example: the simulated shop, its API's pages, the model, and its verdicts."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import driftline as dl
from examples.lakehouse import __main__ as program
from examples.lakehouse.__main__ import SPEC
from examples.lakehouse.model.delivery_model import AT, ID, LABEL, PREDICTION, DeliveryModel, inputs_of, scored, train
from examples.lakehouse.model.scoring import SentChanges
from examples.lakehouse.shop.api import ChangeFeed, InvalidQuery
from examples.lakehouse.shop.orders import ORDERS, PROMISED
from examples.lakehouse.shop.simulation import CUSTOMERS, METRES, SHORT, ShopChange, ShopPlan, changes, erasure_of
from examples.servers import Servers

SMALL = ShopPlan(trained=8, reference=4, awaited=4, monitored=6, orders=20, version_2_from=2)
CALM = replace(SMALL, version_2_from=None)


@cache
def changes_of(plan: ShopPlan) -> list[ShopChange]:
    return changes(plan)


def orders_after(happened: list[ShopChange]) -> dict[int, dict[str, Any]]:
    """Return the orders that are left after some changes, by id."""
    orders: dict[int, dict[str, Any]] = {}
    for change in happened:
        if change.kind == "removed":
            del orders[change.fields["id"]]
        else:
            orders.setdefault(change.fields["id"], {}).update(change.fields)
    return orders


def test_the_same_seed_gives_the_same_changes_in_order_of_time() -> None:
    happened = changes_of(SMALL)
    assert happened == changes(SMALL)
    assert happened != changes(replace(SMALL, seed=2))
    assert [change.at for change in happened] == sorted(change.at for change in happened)
    assert {change.kind for change in happened} == {"placed", "delivered", "removed"}
    assert max(change.at for change in happened) <= SMALL.end, "every order is delivered in time"


def test_version_2_has_metres_and_a_new_field_and_the_same_orders() -> None:
    calm, happened = orders_after(changes_of(CALM)), orders_after(changes_of(SMALL))
    assert SMALL.version_2_begin
    for order_id, order in happened.items():
        new = datetime.fromisoformat(order["placed_at"]) >= SMALL.version_2_begin
        assert (PROMISED in order) is new
        factor = METRES if new else 1
        assert order["distance"] == pytest.approx(calm[order_id]["distance"] * factor)
        assert order.get(LABEL) == calm[order_id].get(LABEL)
    assert {*calm[1]} == {column.name for column in ORDERS.columns} - {"updated_at"}


@pytest.mark.slow
def test_orders_of_a_customer_are_removed_when_their_data_is_erased() -> None:
    plan = ShopPlan(version_2_from=None)
    happened = changes(plan)
    days = (plan.monitored_end - plan.day(0)).days
    placed = {change.fields["id"]: change for change in happened if change.kind == "placed"}
    removed = {change.fields["id"]: change.at for change in happened if change.kind == "removed"}
    erasures = {
        order_id: at
        for order_id, change in placed.items()
        if (at := erasure_of(change.fields["customer_id"], change.at, days))
    }
    assert len({placed[order_id].fields["customer_id"] for order_id in erasures}) == CUSTOMERS // 50
    assert all(removed[order_id] <= at for order_id, at in erasures.items())


@cache
def small_feed() -> ChangeFeed:
    return ChangeFeed(SMALL)


def test_a_page_ends_at_a_limit_an_instant_or_a_change_of_version() -> None:
    feed, happened = small_feed(), changes_of(SMALL)
    end = SMALL.end.isoformat()
    first = feed.page({"until": end, "limit": "3"})
    assert (first["version"], first["next"], len(first["changes"])) == (1, 3, 3)
    assert first["changes"][0]["id"] == happened[0].fields["id"]
    until = happened[5].at.isoformat()
    assert feed.page({"until": until, "after": "3"})["next"] == 5
    border = next(number for number, change in enumerate(happened) if change.version == 2)
    page = feed.page({"until": end, "after": f"{border - 2}"})
    assert (page["version"], page["next"]) == (1, border)
    assert feed.page({"until": end, "after": f"{border}"})["version"] == 2
    assert feed.page({"until": end, "after": f"{len(happened)}"}) == {
        "version": None, "changes": [], "next": len(happened)
    }  # fmt: skip


@pytest.mark.parametrize(
    "parameters",
    [{}, {"until": "soon"}, {"until": "2024-01-02"}, {"until": "2024-01-02T00:00:00Z", "limit": "1001"},
     {"until": "2024-01-02T00:00:00Z", "after": "-1"}, {"until": "2024-01-02T00:00:00Z", "after": "x"}],
)  # fmt: skip
def test_invalid_requests_are_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(InvalidQuery):
        small_feed().page(parameters)


def frame_of(plan: ShopPlan) -> pd.DataFrame:
    """Return the orders that are left in the end."""
    frame = pd.DataFrame([*orders_after(changes_of(plan)).values()])
    return frame.assign(**{AT: pd.to_datetime(frame[AT], format="ISO8601")})


def test_the_model_learns_the_hours_and_is_stored_as_text() -> None:
    orders = frame_of(CALM)
    model = train(orders)
    assert model.weights["distance"] == pytest.approx(1 / 35, rel=0.1)
    assert DeliveryModel.from_json(model.to_json()) == model
    oracle = LinearRegression().fit(inputs_of(orders).to_numpy(), orders[LABEL].to_numpy())
    assert [*model.weights.values(), model.intercept] == pytest.approx([*oracle.coef_, oracle.intercept_], rel=1e-9)
    error = (model.predict(orders) - orders[LABEL]).abs().mean()
    assert error < 3


def backtest(plan: ShopPlan) -> dl.BacktestResult:
    """Monitor the orders as the example does."""
    orders = frame_of(plan)
    model = train(orders[orders[AT] < plan.reference_begin])
    is_reference = (orders[AT] >= plan.reference_begin) & (orders[AT] < plan.reference_end)
    monitored = orders[is_reference | (orders[AT] >= plan.monitored_begin)]
    return dl.backtest(
        scored(model, monitored), timestamp=AT, id=ID, label=LABEL, prediction=PREDICTION,
        reference_until=plan.reference_end.isoformat(), spec=SPEC,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_an_unchanged_api_never_alerts(seed: int) -> None:
    states = {chunk.verdict.state for chunk in backtest(ShopPlan(version_2_from=None, seed=seed)).chunks}
    assert dl.State.ALERT not in states
    assert dl.State.OK in states


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_another_unit_alerts_by_its_second_day(seed: int) -> None:
    plan = ShopPlan(seed=seed)
    first = next(chunk for chunk in backtest(plan).chunks if chunk.verdict.state is dl.State.ALERT)
    assert plan.version_2_begin
    assert first.start - plan.version_2_begin <= timedelta(days=1)


@pytest.mark.slow
def test_the_short_plan_alerts_on_the_day_of_the_change() -> None:
    first = next(chunk for chunk in backtest(SHORT).chunks if chunk.verdict.state is dl.State.ALERT)
    assert first.start == SHORT.version_2_begin


def test_verdicts_are_printed_before_the_hudi_tables_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> list[str]:
        raise SystemExit("The Hudi tables could not be written.")

    chunk = {"start": "2024-02-21", "rows": 120, "verdict": "alert", "drifted": [], "reasons": ["Distances drift."]}
    process, servers = SimpleNamespace(port=1, engine=None), Servers("http://monitor", "", tmp_path, {})
    pipeline = SimpleNamespace(
        api_address="http://api", database=process, catalogue_password="", objects="", folder=tmp_path,
        wait_until_ready=lambda: None,
    )  # fmt: skip
    for name, value in {
        "start_pipeline": pipeline, "lake_session": nullcontext(), "_advance": None, "_trained": "Trained.",
        "_registered": "lakehouse", "score": SentChanges(), "_computed": [chunk],
    }.items():  # fmt: skip
        monkeypatch.setattr(program, name, lambda *_, value=value: value)
    monkeypatch.setattr(program, "fill_tables", fail)
    with pytest.raises(SystemExit, match="could not be written"):
        program._run(servers, SHORT, hudi=True, upkeep=False)
    printed = capsys.readouterr().out
    assert "First alert: 2024-02-21: Distances drift.\n" in printed
    assert "Dashboard: http://monitor/models/lakehouse\n" in printed
