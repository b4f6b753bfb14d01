"""Which of two copies of an object is the newer one.

A resourceVersion is an integer that grows (Kubernetes says so since 1.35, and etcd always did it). One that is no
integer says only whether two copies differ; whatever differs then counts as news, and a write made from a stale copy
is refused.
"""

from flow_operator.reconciler.ports import Object


def version_of(metadata: Object) -> str:
    """The resourceVersion in this metadata."""
    version = metadata.get("resourceVersion")
    return version if isinstance(version, str) else ""


def is_newer(version: str, known: str) -> bool:
    """Whether an object of this version tells something that one of the known version does not."""
    try:
        return int(version) > int(known)
    except ValueError:
        return version != known
