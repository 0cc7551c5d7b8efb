"""Starts and stops the local servers and services; knows all of them and is known by none."""
