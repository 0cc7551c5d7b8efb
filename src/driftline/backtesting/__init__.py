"""Evaluates a file or frame of past predictions chunk by chunk, as if the monitor had been watching.

Nothing is imported here, since the command line must start fast. Python's entry is `driftline.backtest`.
"""
