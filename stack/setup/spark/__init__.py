"""The archive of the classes that Spark loads."""
