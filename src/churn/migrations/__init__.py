"""The history of the tables of the example, applied by `python -m churn upgrade`."""
