"""The training as a program, and the nightly flow of Prefect that runs it with the other steps."""
