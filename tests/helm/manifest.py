"""What the operator may do, as one file for who does without Helm: `python -m tests.helm.manifest` writes it.

A test proves it current, since that takes Helm.
"""

from pathlib import Path

import yaml
from tests.e2e.role import documents
from tests.helm.chart import NAMESPACE

FILE = Path(__file__).parents[2] / "examples" / "install" / "rbac.yaml"
HEAD = """\
# Written from the chart by `python -m tests.helm.manifest`, for who does without Helm: the namespace, the account,
# and exactly the rights that an operator for the whole cluster uses.
"""


def text() -> str:
    """The file as it should be."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    rights = documents(NAMESPACE, watched=())
    for each in rights:
        del each["metadata"]["labels"]  # they say that Helm manages it
    return HEAD + yaml.safe_dump_all([namespace, *rights], sort_keys=False)


if __name__ == "__main__":
    FILE.write_text(text())
    print(f"wrote {FILE.name}")
