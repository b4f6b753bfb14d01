"""The image, really built, and its entry point started from the result without any registry or container engine.

The base that the Dockerfile names is on a registry; here one that stands in for it is assembled from Debian's packages:
the same C library, an older Python.
"""

from tests.e2e.image.building import Image, built_image, obstacle

__all__ = ["Image", "built_image", "obstacle"]
