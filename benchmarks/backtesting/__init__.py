"""Backtests of wide files, and the file of flights that the guide uses."""
