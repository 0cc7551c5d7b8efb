"""Runs schedules one after the other on one server, and holds what is stored against the plain model and one pass."""

import time
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pandas as pd
from sqlalchemy import Engine, func, select

from driftline.clock import utc_now
from driftline.engine.catalogue import ColumnKind
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.spec import ColumnSpec, ModelClock, Spec
from driftline.objects import ObjectStore, open_store
from driftline.store import removal
from driftline.store.polling import pending_chunks
from driftline.store.tables import batch_data, metadata, pending_batches, predictions, removed_rows
from driftline.store.tables import ledger as ledger_table
from driftline.store.tables import pending_chunks as pending_table
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from tests.integration.monitoring.world import reference
from tests.integration.soak.final_pass import differences, in_one_pass, labels_of, rows_of_version, stored_results
from tests.integration.soak.plain_model import PlainModel
from tests.integration.soak.processes import KillableProcess
from tests.integration.soak.schedule import Process, SenderKind, SoakSchedule, row_of
from tests.integration.soak.senders import PATIENCE, SENDERS, Api, ClientSender, SoakRun, send_last_row
from tests.integration.soak.workers import Place

SPEC = Spec(
    columns=(ColumnSpec(name="minutes"), ColumnSpec(name="carrier", kind=ColumnKind.CATEGORICAL)),
    clock=ModelClock.DATA,
    label_delay="P3D",
    minimum_rows=20,
)
REFERENCE_DAYS = 10


@dataclass
class Soak:
    """The server, its processes and what was counted."""

    engine: Engine
    place: Place
    processes: dict[Process, KillableProcess]
    counts: Counter[str] = field(default_factory=Counter)
    _reference: pd.DataFrame = field(init=False)
    _fitted: FittedReference = field(init=False)

    def __post_init__(self) -> None:
        """Fit the reference once for all models."""
        self._reference = reference(REFERENCE_DAYS, 200).drop(columns="distance")
        self._fitted = fit_reference(self._reference, SPEC)

    @property
    def objects(self) -> ObjectStore:
        """Where references are."""
        return open_store(self.place.folder / "objects")

    def run(self, schedule: SoakSchedule) -> list[str]:
        """Run a schedule and return its faults."""
        failures = self.place.folder / "failures.txt"
        failures.write_text("")
        name = schedule.name
        self._register(name, 1)
        run = self._run_of(name)
        faults = self._outcome(schedule, run)
        self.counts["schedules"] += 1
        self.counts["kills"] = sum(process.kills for process in self.processes.values())
        self.counts["acknowledged"] += run.plain.acknowledged
        return [*faults, *failures.read_text("utf-8").splitlines()] or [*self._remove(run.api, name)]

    def _outcome(self, schedule: SoakSchedule, run: SoakRun) -> list[str]:
        """Do all steps and wait for the results; return the faults."""
        try:
            self._send_all(schedule, run)
            self._await_results(schedule.name)
            return [*self._faults(schedule.name, run)]
        except Exception as error:  # noqa: BLE001  (the next schedules are run in any case)
            log = (self.place.folder / "server.log").read_text("utf-8").splitlines()
            return [f"{type(error).__name__}: {error}", "the end of the server's log:", *log[-30:]]

    def _register(self, name: str, version: int) -> None:
        candidate = registry.Candidate(name, SPEC, f"{version}", self._reference, None, {}, fitted=self._fitted)
        registry.register(self.engine, candidate, self.objects, utc_now())

    def _run_of(self, name: str) -> SoakRun:
        return SoakRun(
            Api(self.place.url, name),
            PlainModel(),
            self.processes,
            self.place.folder,
            register_again=lambda version: self._register(name, version),
            retire=lambda version: removal.retire(self.engine, name, version),
            versions_of=lambda ids: self._versions_of(name, ids),
        )

    def _versions_of(self, name: str, ids: list[str]) -> dict[str, int]:
        with self.engine.connect() as connection:
            key = registry.version_key(connection, name)
            of_ids = (predictions.c.model_number == key.model_number) & predictions.c.id.in_(ids)
            rows = connection.execute(select(predictions.c.id, predictions.c.model_version).where(of_ids)).all()
        return {row_id: int(version) for row_id, version in rows}

    def _send_all(self, schedule: SoakSchedule, run: SoakRun) -> None:
        """Let all senders do their steps at the same time, then send the last row."""

        def work(sender: SenderKind) -> None:
            working = SENDERS[sender](sender, run)
            for step in schedule.steps[sender]:
                run.begin(step)
                working.do(step)
            if isinstance(working, ClientSender):
                working.flush()

        with ThreadPoolExecutor(len(SenderKind)) as pool:
            for sent in [pool.submit(work, sender) for sender in SenderKind]:
                sent.result()
        send_last_row(run)

    def _await_results(self, name: str) -> None:
        """Wait until the pollers have computed all that is due."""
        deadline = time.monotonic() + PATIENCE
        while waiting := self._waiting(name):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the pollers do not compute {waiting}")
            time.sleep(0.1)

    def _waiting(self, name: str) -> list[str]:
        """Return what a model still has pending, as text."""
        with self.engine.connect() as connection:
            number = registry.version_key(connection, name).model_number
            batches = connection.execute(
                select(func.count())
                .select_from(
                    pending_batches.join(ledger_table, ledger_table.c.number == pending_batches.c.batch_number)
                )
                .where(ledger_table.c.model_number == number, pending_batches.c.consumer == "monitor")
            ).scalar_one()
            due = [key for _, key in pending_chunks.due_versions(connection, utc_now()) if key.model_number == number]
            chunks = connection.execute(select(pending_table).where(pending_table.c.model_number == number)).all()
        return [*([f"{batches} batches"] if batches else []), *([f"chunks {chunks}"] if due else [])]

    def _faults(self, name: str, run: SoakRun) -> Iterator[str]:
        """Yield what is lost, doubled or different."""
        versions = [registry.load(self.engine, name, number + 1) for number in range(run.versions)]
        number = versions[0].model_number
        frames = [rows_of_version(self.engine, version).astype(object) for version in versions]
        rows = pd.concat(frames, ignore_index=True)
        rows = rows[~rows["id"].str.startswith("last/")]
        doubled = rows["id"][rows["id"].duplicated()].tolist()
        if doubled:
            yield f"{len(doubled)} predictions are doubled: {doubled[:5]}"
        self.counts["predictions"] += len(rows)
        contents = {str(row["id"]): content_of(row) for row in rows.to_dict("records")}
        labels = labels_of(self.engine, number)
        self.counts["labels"] += len(labels)
        yield from run.plain.faults(contents, labels)
        yield from self._count_faults(number, len(rows) + run.versions)
        if "<b>ü" in str(run.api.expect((200,), "GET", f"//models/{name}")):
            yield "the page of the model has a category that is not escaped"
        again = in_one_pass(self.engine, self.objects, f"{name}-again", versions)
        self._await_results(f"{name}-again")
        for version in versions:
            stored, expected = (
                stored_results(self.engine, VersionKey(model, version.number)) for model in (number, again)
            )
            self.counts["results"] += len(expected["results"])
            yield from (f"version {version.number}: {text}" for text in differences(stored, expected))

    def _count_faults(self, number: int, rows: int) -> Iterator[str]:
        """Yield a fault if the columnar data has more or fewer rows than the index of ids."""
        of_model = select(ledger_table.c.number).where(ledger_table.c.model_number == number)
        stored = select(func.coalesce(func.sum(batch_data.c.row_count), 0)).where(
            batch_data.c.batch_number.in_(of_model), batch_data.c.content == "outputs"
        )
        removed = select(func.count()).select_from(removed_rows).where(removed_rows.c.model_number == number)
        indexed = select(func.count()).select_from(predictions).where(predictions.c.model_number == number)
        with self.engine.connect() as connection:
            counts = [int(connection.execute(statement).scalar_one()) for statement in (stored, removed, indexed)]
        if (counts[0] - counts[1], counts[2]) != (rows, rows):
            yield f"{rows} rows are read, of {counts[0]} stored, {counts[1]} removed and {counts[2]} with an id"

    def _remove(self, api: Api, name: str) -> Iterator[str]:
        """Remove the model and the one of the single pass; yield what is left of them."""
        with self.engine.connect() as connection:
            numbers = [registry.version_key(connection, each).model_number for each in (name, f"{name}-again")]
        for each in (name, f"{name}-again"):
            Api(api.url, each).expect((200, 404), "DELETE", "")
        with self.engine.connect() as connection:
            for table in [table for table in metadata.sorted_tables if "model_number" in table.c]:
                remaining = connection.execute(
                    select(func.count()).select_from(table).where(table.c.model_number.in_(numbers))
                ).scalar_one()
                if remaining:
                    yield f"{remaining} rows of the removed model are left in {table.name}"


def content_of(row: Mapping[Hashable, object]) -> int | None:
    """Return which content a stored prediction has, or None for none that was sent."""
    for content in range(6):
        sent = row_of(str(row["id"]), content)
        if all(_same(row[name], value) for name, value in sent.items()):
            return content
    return None


def _same(stored: object, sent: object) -> bool:
    return (pd.isna(stored) and sent is None) or stored == sent  # type: ignore[call-overload]
