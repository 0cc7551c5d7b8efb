"""How well a binary model does: realized where labels are known, estimated (CBPE) where not. No I/O here."""
