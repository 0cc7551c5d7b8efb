"""The relay: each committed batch of records once into Kafka."""
