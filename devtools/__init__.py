"""What only developers run: checks, diagrams, releases, images."""
