"""Adapts the plan to the loaded history, since the days of a raw data file are not the planned ones."""

from dataclasses import replace

from sqlalchemy import Engine, func, select

from churn.ledger import ChurnBatchKind
from driftline.store.tables import ledger
from stack.demo.plan import Plan
from stack.errors import StackError


def plan_for_loaded_history(plan: Plan, engine: Engine) -> Plan:
    """Return the plan with the days of the loaded history; the stream begins after them.

    Raises:
        StackError: no history is loaded.
    """
    first, last = (func.min(ledger.c.first_event), func.max(ledger.c.last_event))
    with engine.connect() as connection:
        span = connection.execute(select(first, last).where(ledger.c.kind == ChurnBatchKind.HISTORY)).one()
    if span[0] is None:
        raise StackError("No history is loaded; load it first.")
    return replace(plan, history_first=span[0].date(), history_last=span[1].date())
