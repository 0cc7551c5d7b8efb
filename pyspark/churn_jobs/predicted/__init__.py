"""Predictions of days: scored in files, stored through the ledger."""
