"""The model of the Titanic in a cloud: a Google Cloud Function, an AWS Lambda function, and the service on ECS."""
