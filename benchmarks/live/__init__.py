"""How long a record takes from its creation to its stored prediction, on the servers and processes of the live path."""
