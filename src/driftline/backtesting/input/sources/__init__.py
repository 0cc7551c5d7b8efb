"""Where rows come from: data frames, Parquet files and CSV files."""
