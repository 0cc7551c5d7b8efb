"""Whether a stock index rises on the next trading day: Kafka, Spark Structured Streaming, and a monitor."""
