"""Judges a file or frame of past predictions chunk by chunk, as if the monitor had been watching.

Nothing is imported here: the command line must start fast. `driftline.backtest` is the door for the notebook.
"""
