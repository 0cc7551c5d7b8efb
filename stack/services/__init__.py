"""The table of services and what follows from it: environments, accounts, start and stop."""
