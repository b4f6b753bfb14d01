"""The manifest for who does without Helm has what the chart has."""

import pytest
from tests.helm.manifest import FILE, text

pytestmark = pytest.mark.e2e


def test_the_manifest_is_current() -> None:
    assert FILE.read_text() == text(), "python -m tests.helm.manifest writes it anew"
