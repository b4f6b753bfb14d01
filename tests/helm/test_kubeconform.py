"""kubeconform finds nothing wrong with what the chart renders, by the schemas of the real API server."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.controlplane import ControlPlane
from tests.helm.chart import Object, Values, rendered
from tests.helm.programs import program
from tests.helm.test_rendered import EVERYTHING

pytestmark = pytest.mark.e2e

FOREIGN = "ServiceMonitor,PodMonitor,PrometheusRule"
"""Kinds that no API server has by itself."""


@pytest.fixture(scope="module")
def schemas(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a strict JSON schema for each kind of the API server, named as kubeconform looks for it."""
    folder = tmp_path_factory.mktemp("schemas")
    definitions: Object = json.loads(control_plane.kubectl("get", "--raw", "/openapi/v2"))["definitions"]
    (folder / "all.json").write_text(json.dumps({"definitions": {name: strict(d) for name, d in definitions.items()}}))
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            group = kind["group"].partition(".")[0]
            file = "-".join(filter(None, (kind["kind"].lower(), group, kind["version"]))) + ".json"
            reference = {"$ref": f"{(folder / 'all.json').as_uri()}#/definitions/{name}"}
            (folder / file).write_text(json.dumps(reference))
    return folder


def strict(schema: Any) -> Any:
    """The schema without room for unknown fields, in the words of JSON schema."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    words = {key: strict(value) for key, value in schema.items()}
    if words.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    if isinstance(words.get("properties"), dict) and "type" in words and "additionalProperties" not in words:
        words["additionalProperties"] = False
    return words


def judged(schemas: Path, documents: list[Object]) -> tuple[int, str]:
    """Exit code and output of kubeconform."""
    location = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    flags = ["-strict", "-summary", "-skip", FOREIGN, "-schema-location", location]
    command: list[str | Path] = [program("kubeconform"), *flags, "-"]
    text = "\n---\n".join(map(json.dumps, documents))
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_the_chart_conforms(schemas: Path, values: Values) -> None:
    code, said = judged(schemas, rendered(values))

    assert code == 0, said


def test_a_field_that_is_none_is_found(schemas: Path) -> None:
    documents = rendered()
    next(each for each in documents if each["kind"] == "Deployment")["spec"]["replica"] = 1

    code, said = judged(schemas, documents)

    assert code == 1
    assert "replica" in said
