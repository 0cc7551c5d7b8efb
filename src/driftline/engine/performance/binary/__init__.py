"""Performance of a model with two classes: realized, and estimated by CBPE. No I/O here."""
