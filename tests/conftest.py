"""Every room sees the fixtures that the stack ships; laws are tried on fresh examples, on the same ones in CI."""

import os

from hypothesis import settings

pytest_plugins = ["stack.testing"]

settings.register_profile("fresh", deadline=None)
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile("same" if os.environ.get("CI") else "fresh")
