"""Archive objects and the rows that they contain."""
