"""From the simulator to Kafka, and the stored procedure: the example's records."""
