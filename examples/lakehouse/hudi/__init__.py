"""The orders in two Apache Hudi tables, written by a job on Spark 3.5 in an environment of its own."""
