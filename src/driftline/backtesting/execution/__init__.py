"""Computes the chunks of a backtest and derives their verdicts."""
