"""Results out: the result classes, JSON, pages, plots and files."""
