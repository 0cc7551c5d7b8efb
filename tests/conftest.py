"""Every room sees the fixtures that the stack ships."""

pytest_plugins = ["stack.testing"]
