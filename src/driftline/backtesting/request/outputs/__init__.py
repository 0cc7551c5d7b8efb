"""What a model's outputs stand for: classes, the scale of scores, their threshold. No I/O here."""
