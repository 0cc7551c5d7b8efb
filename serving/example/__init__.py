"""The part of serving that knows the churn example."""
