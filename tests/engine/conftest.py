"""Properties are the same in every run, and a slow machine makes none of them fail."""

from hypothesis import settings

settings.register_profile("engine", deadline=None, derandomize=True)
settings.load_profile("engine")
