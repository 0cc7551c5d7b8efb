"""Days of beats as a stream: sent to Kafka, scored there, and shown in Streamlit."""
