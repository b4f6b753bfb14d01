"""Completion offers what can stand in the place of the word that is being typed."""

import shutil
import subprocess
from typing import Any

import pytest
from tests.cli.stories import begin, execution_of

from flow_operator.api.kinds import Kind
from flow_operator.cli import completing
from flow_operator.cli.__main__ import main
from flow_operator.cli.errors import Cannot
from flow_operator.cli.kubeconfig import Access

FILES, NO_FILES = 0, 4


class Here:
    """A cluster with an order that has begun."""

    def __init__(self, access: Access) -> None:
        if access.context == "nowhere":
            raise Cannot("there is no context nowhere")
        self.suffix = access.namespace or ""

    def names(self, kind: Kind) -> list[str]:
        return [f"{kind.short_name}-1{self.suffix}", f"{kind.short_name}-2{self.suffix}"]

    def run(self, name: str) -> dict[str, Any]:
        assert name == "order-1"
        return execution_of(begin("start"))


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completing, "Cluster", Here)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("re", ["resume", "retry"]),
        ("-n shop wat", ["watch"]),
        ("watch ", ["fwx-1", "fwx-2"]),
        ("watch -n shop ", ["fwx-1shop", "fwx-2shop"]),
        ("watch --namespace=shop fwx-2", ["fwx-2shop"]),
        ("-n shop describe fwx-1", ["fwx-1shop"]),
        ("watch fwx-1 ", []),
        ("run ", ["fwf-1", "fwf-2"]),
        ("skip order-1 m", ["mail"]),
        ("skip order-1 mail ", []),
        ("retry order-1 reserve ", ["fraud", "charge", "wrap", "ship", "post", "mail"]),
        ("describe order-1 --request p", ["post"]),
        ("describe order-1 --req", ["--request"]),
        ("lint -o ", ["text", "json", "github"]),
        ("completion f", ["fish"]),
        ("watch --context nowhere ", []),
        ("dance ", []),
    ],
)
def test_what_is_offered(typed: str, offered: list[str]) -> None:
    assert completing.candidates(typed.split(" ")) == (offered, NO_FILES)


@pytest.mark.parametrize("typed", ["lint ", "lint a.yaml ", "run order -f ", "watch --kubeconfig "])
def test_where_files_can_stand(typed: str) -> None:
    assert completing.candidates(typed.split(" ")) == ([], FILES)


def test_the_protocol_is_that_of_kubectl(capsys: pytest.CaptureFixture[str]) -> None:
    assert completing.main(["ski"]) == 0
    assert capsys.readouterr().out == "skip\n:4\n"


@pytest.mark.parametrize("shell", completing.SHELLS)
def test_a_script_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "kubectl_complete-flow" in script
    if (program := shutil.which(shell)) is not None:
        subprocess.run([program, "-n"], input=script, text=True, check=True)
