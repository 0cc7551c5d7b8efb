"""The error for rows that are not in a pandas frame. No I/O here."""

_CONVERSIONS = ("to_pandas", "toPandas", "to_frame", "df")
"""The methods that make a pandas frame: of polars and Arrow, of Spark, of a series, of DuckDB."""


def not_a_frame(rows: object, name: str) -> str:
    """Return what was passed instead of a frame, and how to make one; `name` is that of the caller's argument.

    Frames of polars, Arrow and others convert themselves: pandas.DataFrame would take them for rows or columns.
    """
    method = next((method for method in _CONVERSIONS if hasattr(rows, method)), None)
    conversion = f"{name}.{method}()" if method else f"pandas.DataFrame({name})"
    return f"not {type(rows).__name__}; {conversion} makes one"
