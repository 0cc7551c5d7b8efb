"""The record and its beats: stored as objects, cut out in Spark, read with their features."""
