"""The table of services and what follows from it: environments, database users, start and stop."""
