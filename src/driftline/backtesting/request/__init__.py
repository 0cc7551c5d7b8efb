"""What a backtest is asked for, checked and completed by inference. No I/O here."""
