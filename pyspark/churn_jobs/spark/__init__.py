"""The Spark session of a job, and what it reads from MySQL."""
