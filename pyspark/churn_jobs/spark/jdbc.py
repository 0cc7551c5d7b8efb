"""Spark's access to the database: reads tables by slices of days and appends rows to staging tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from sqlalchemy import Column, ColumnElement, Date, Table, and_
from sqlalchemy.dialects import mysql

from churn_jobs.days import DayRange
from churn_jobs.spark.settings import JobSettings
from driftline.clock import naive_utc
from driftline.settings import DatabaseSettings

DRIVER = "org.mariadb.jdbc.Driver"
SLICE_DAYS = 7
FETCH_ROWS = "10000"
INSERT_ROWS = "5000"


@dataclass(frozen=True)
class Jdbc:
    """A connection of Spark to the database; the password is a connection property, never part of the address.

    `tls` are further properties, those of `jdbc_tls.tls_properties`.
    """

    spark: SparkSession
    database: DatabaseSettings
    options: str = JobSettings.model_fields["jdbc_options"].default
    tls: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> str:
        """The database's address for the driver."""
        options = "&".join(filter(None, ("permitMysqlScheme", "rewriteBatchedStatements=true", self.options)))
        return f"jdbc:mysql://{self.database.host}:{self.database.port}/{self.database.name}?{options}"

    @property
    def _properties(self) -> dict[str, str]:
        password = self.database.password.get_secret_value()
        return {"user": self.database.user, "password": password, "driver": DRIVER, **self.tls}

    def read(self, table: Table, names: Sequence[str], days: DayRange, by: Column[object]) -> DataFrame:
        """Read columns of the rows whose `by` (a date, or an instant in UTC) is in `days`, one partition per week."""
        predicates = [_literal(_within(by, week)) for week in days.slices(SLICE_DAYS)]
        properties = {**self._properties, "fetchsize": FETCH_ROWS}
        frame = self.spark.read.jdbc(self.address, table.name, predicates=predicates, properties=properties)
        return frame.select(*names)

    def append(self, frame: DataFrame, table: Table) -> None:
        """Append rows; each of the frame's partitions is a separate transaction."""
        properties = {**self._properties, "batchsize": INSERT_ROWS}
        frame.write.jdbc(self.address, table.name, mode="append", properties=properties)


def _within(by: Column[object], days: DayRange) -> ColumnElement[bool]:
    if isinstance(by.type, Date):
        return and_(by >= days.first, by <= days.last)
    return and_(by >= naive_utc(days.start), by < naive_utc(days.end))


def _literal(condition: ColumnElement[bool]) -> str:
    """Return a condition as SQL text with literal values, which are only parsed dates."""
    return str(condition.compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True}))
