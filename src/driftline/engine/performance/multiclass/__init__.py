"""Performance of a model with several classes: realized, and estimated by CBPE. No I/O here."""
