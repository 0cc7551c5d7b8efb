"""Models, their versions, specs, roles and references in MySQL."""
