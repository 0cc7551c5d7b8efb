"""The pages that show and change the spec of a version."""
