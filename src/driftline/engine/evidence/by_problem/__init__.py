"""Evidence for binary, multiclass and regression models."""
