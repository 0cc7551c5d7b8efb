"""The Spark jobs of the churn model: prepare data, train, write predictions."""
