"""The performance of a model: realized where labels are known, estimated where not. No I/O here."""
