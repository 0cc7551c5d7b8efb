"""Starts and stops the local servers and services, and runs the demo.

`stack.services.environments.environment_for("jobs")` returns the environment of a job; `stack.testing.fixtures` has the
fixtures for tests.
"""
