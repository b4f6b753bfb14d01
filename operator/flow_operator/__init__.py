"""Flow: sagas of microservices as Kubernetes resources, undone in reverse order when they fail."""

__version__ = "0.1.0"
