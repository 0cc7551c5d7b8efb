"""Records that are scored as they arrive while every process is killed: each stands once, as the batch job has it."""

from concurrent.futures import Future

import pandas as pd
import pytest

from churn.columns import Processed
from churn.tables import cdr, churn_predictions
from stack.demo.plan import Plan
from stack.testing.isolated_stack import IsolatedStack, chunks
from tests.chaos.live_stack import VICTIMS, StreamOutcome, require_same_chunks, summary_of


@pytest.mark.timeout(1800)  # it waits for three worlds on the same cores
@pytest.mark.kills
def test_killed_while_it_scores_each_record_stands_once(
    loop: IsolatedStack, plan: Plan, killed_live: "Future[StreamOutcome]"
) -> None:
    killed = killed_live.result()
    print(killed.require_each_once(plan))  # noqa: T201  (`pytest -rP` shows it)
    assert set(killed.kills) == set(VICTIMS)
    loop.call("monitor", "POST", "/run-monitoring").raise_for_status()
    pd.testing.assert_frame_equal(killed.records, loop.content(cdr))
    pd.testing.assert_frame_equal(killed.predictions, loop.content(churn_predictions))
    assert killed.predictions[Processed.DATE].nunique() == plan.scenario.stream_days
    require_same_chunks(killed.chunks, {chunk["start"]: summary_of(chunk) for chunk in chunks(loop)})
