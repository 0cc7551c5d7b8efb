"""The words of the example: tables of the shop, the topic of their changes, features of the model. No I/O here."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, SmallInteger, String, Table
from sqlalchemy.dialects.mysql import DATETIME, DOUBLE, TINYINT

MODEL = "lakehouse"
SHOP, COPY, CATALOG = "shop", "shop_copy", "lake_catalog"
"""The schemas of the shop's database: its tables, their copy by Connect, and the catalogue of the lake."""
TOPIC = "shop.shop.orders"
"""The topic of changes: Debezium's prefix, the schema, the table."""
PROMISED = "promised_hours"
"""The column that comes with the API's version 2."""

METADATA = MetaData()
ORDERS = Table(
    "orders",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("customer_id", BigInteger, nullable=False, index=True),
    Column("placed_at", DATETIME(fsp=6), nullable=False),
    Column("distance", DOUBLE, nullable=False),
    Column("items", Integer, nullable=False),
    Column("weight_kg", DOUBLE, nullable=False),
    Column("warehouse", String(20), nullable=False),
    Column("express", TINYINT, nullable=False),
    Column("delivered_at", DATETIME(fsp=6)),
    Column("delivery_hours", DOUBLE),
    Column("updated_at", DATETIME(fsp=6), nullable=False),
)
"""Orders as version 1 of the API gives them."""
POSITION = Table(
    "api_position",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)
"""One row: the position in the API's changes up to which they are stored."""
