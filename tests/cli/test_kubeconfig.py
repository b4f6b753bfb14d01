"""What is wrong with a kubeconfig is one sentence that names the file, what is wrong, and the way out."""

import json
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from flow_operator.cli.errors import Cannot
from flow_operator.cli.kubeconfig import Access, load

GOOD: dict[str, Any] = {
    "current-context": "here",
    "contexts": [
        {"name": "here", "context": {"cluster": "one", "user": "me", "namespace": "shop"}},
        {"name": "there", "context": {"cluster": "two", "user": "me"}},
    ],
    "clusters": [
        {"name": "one", "cluster": {"server": "https://one"}},
        {"name": "two", "cluster": {"server": "https://2"}},
    ],
    "users": [{"name": "me", "user": {"token": "t"}}],
}
FAILING = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never"}}


def loaded(path: Path, text: str, **access: str) -> str:
    """The namespace of the context."""
    path.write_text(text)
    return load(Access(kubeconfig=str(path), **access), client.Configuration())


def test_the_namespace_is_that_of_the_context(tmp_path: Path) -> None:
    assert loaded(tmp_path / "config", json.dumps(GOOD)) == "shop"
    assert loaded(tmp_path / "config", json.dumps(GOOD), context="there") == "default"


@pytest.mark.parametrize(
    ("text", "access", "said"),
    [
        ("{", {}, "it is not YAML"),
        ("\t- a", {}, "it is not YAML"),
        ("[]", {}, "it is not a kubeconfig: clusters, users and contexts are missing"),
        ("a: 1", {}, "it has no contexts: name another with --kubeconfig or KUBECONFIG"),
        (
            json.dumps(GOOD),
            {"context": "theer"},
            "there is no context theer: did you mean there? There are here and there",
        ),
        (
            json.dumps(GOOD | {"current-context": ""}),
            {},
            "no context is chosen: use --context, or kubectl config use-con",
        ),
        (json.dumps(GOOD | {"clusters": []}), {}, "the context here names the cluster one, which is not there"),
        (json.dumps(GOOD | {"users": None}), {}, "the context here names the user me, which is not there"),
        (
            json.dumps(GOOD | {"users": [{"name": "me", "user": {"client-certificate-data": "x"}}]}),
            {},
            "the context here cannot be used: check its cluster (one) and its user (me) with kubectl config view",
        ),
        (
            json.dumps(GOOD | {"users": [{"name": "me", "user": FAILING}]}),
            {},
            "the command false gave no credentials: run kubectl version to see why",
        ),
    ],
)
def test_what_is_wrong(
    text: str, access: dict[str, str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Cannot) as told:
        loaded(tmp_path / "config", text, **access)
    assert str(told.value).startswith(f"kubeconfig {tmp_path}/config: {said}")
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Cannot, match="there is no such file"):
        load(Access(kubeconfig=str(tmp_path / "none")), client.Configuration())
