"""Performance of a model that predicts a number: realized, and estimated by direct loss estimation. No I/O here."""
