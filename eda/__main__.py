"""`python -m eda`: explore the days of `query_params.json`, write plots and a report."""

from eda.job import main

if __name__ == "__main__":
    raise SystemExit(main())
