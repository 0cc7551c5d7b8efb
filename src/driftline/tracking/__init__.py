"""MLflow: training runs, registered model versions, and models that are monitored from its registry."""
