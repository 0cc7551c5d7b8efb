"""Polls and pages over long histories and over many models."""
