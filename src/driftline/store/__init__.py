"""What Driftline keeps in MySQL: tables, the ledger, predictions, labels, the model registry, migrations."""
