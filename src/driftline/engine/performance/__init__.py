"""How well a model does: realized where labels are known, estimated where not; a package a problem. No I/O here."""
