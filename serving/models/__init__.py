"""The models that are served: loaded from their artifacts, and replaced when a newer version is ready."""
