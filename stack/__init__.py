"""Starts and stops the local servers and services; knows all of them and is known by none.

`stack.environments.environment_for("jobs")` is the environment of a job; `stack.testing` has the fixtures of the tests.
"""
