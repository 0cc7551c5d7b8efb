"""Stores, corrects and deletes predictions."""
