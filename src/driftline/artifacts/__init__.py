"""Trained models as files, read without the program that trained them."""
