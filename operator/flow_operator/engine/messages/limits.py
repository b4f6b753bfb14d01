"""Sizes in bytes (semantics: Size). An answer is kept in the status, so its limit is low."""

KIB = 1024

INPUT_BYTES = 128 * KIB
"""`spec.input` of a run."""
ANSWER_BYTES = 128 * KIB
"""Body of an answer; the caller reads no further."""
REQUEST_BYTES = 900 * KIB
"""Body of a request."""
REVISION_BYTES = 900 * KIB
"""Definition that a run is pinned to, with the Steps that it refers to."""
INLINE_BYTES = 8 * KIB
"""Body of a request that is kept in the status while the call runs."""
HEADER_BYTES = 1 * KIB
"""Value of a header of an answer; the rest is cut off."""
MESSAGE_CHARACTERS = 1024
"""A message in the status."""
LARGE_STATUS_BYTES = 256 * KIB
"""Whole object above which LargeStatus is True."""
STATUS_BYTES = 768 * KIB
"""Whole object above which a further answer is not stored any more; the rest is reserved for undoing."""
