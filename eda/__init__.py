"""Explores a range of days of `DP_CDR_Data`: plots and one HTML report."""
