"""Rows that come as messages or from tables, stored apart from those that are refused."""
