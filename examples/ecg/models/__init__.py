"""The two models: how they are trained, compared, and registered in MLflow."""
