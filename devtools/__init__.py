"""Tools that only developers run: checks, diagrams, releases, images."""
