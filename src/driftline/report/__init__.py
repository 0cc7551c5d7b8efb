"""Turns chunks, results and verdicts into words, JSON, charts and plots, for the backtest and the monitor alike."""
