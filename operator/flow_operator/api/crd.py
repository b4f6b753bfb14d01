"""Write the CustomResourceDefinitions, or prove them current: `python -m flow_operator.api.crd [--check]`."""

import json
import sys
from typing import Any

import yaml

from flow_operator.api.generated import write_or_check
from flow_operator.api.kinds import CATEGORY, KINDS, Column, Kind
from flow_operator.api.meta import GROUP, VERSION
from flow_operator.api.schema import spec_schema, status_schema

FOLDERS = ("crds", "helm/flow-operator/files/crds")
HEADING = "# Generated from the models in flow_operator/api by `python -m flow_operator.api.crd`. Do not edit.\n"


def crd(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": [kind.short_name],
                "categories": [CATEGORY],
            },
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> dict[str, Any]:
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": _object(kind)},
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    return version


def _column(column: Column) -> dict[str, Any]:
    priority = {"priority": 1} if column.wide else {}
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
        **priority,
    }


def _object(kind: Kind) -> dict[str, Any]:
    rules = {"x-kubernetes-validations": [rule.document() for rule in kind.rules]} if kind.rules else {}
    return {
        "description": kind.description,
        "type": "object",
        **rules,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": f"{GROUP}/{VERSION}", "type": "string"},
            "kind": {"description": kind.name, "type": "string"},
            # A rule can blame only a field that the schema names.
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": spec_schema(kind.spec),
            "status": status_schema(kind.status, default=kind.default_status),
        },
    }


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def rendered(kind: Kind) -> str:
    """The file that holds the CRD of a kind."""
    # YAML writes what occurs twice in memory by reference; a trip through JSON leaves nothing shared.
    document = json.loads(json.dumps(crd(kind)))
    return HEADING + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def files() -> dict[str, str]:
    """Path in the repository → content, of every file that is generated here."""
    return {f"{folder}/{GROUP}_{kind.plural}.yaml": rendered(kind) for folder in FOLDERS for kind in KINDS}


if __name__ == "__main__":
    sys.exit(write_or_check("flow_operator.api.crd", lambda _: files(), sys.argv[1:]))
