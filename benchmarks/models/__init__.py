"""Training a model, and serving its predictions."""
