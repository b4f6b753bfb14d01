"""What the chart renders, judged without a cluster."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.helm.chart import CHART, HelmError, Object, Values, rendered, run_helm
from tests.helm.programs import program

from flow_operator import __version__
from flow_operator.adapters.leases import GRACE_SECONDS
from flow_operator.settings import Settings, load
from flow_operator.settings.model import SETTINGS

pytestmark = pytest.mark.e2e

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
FROM_THE_POD = {"identity", "lease_namespace"}
EVERYTHING: Values = {
    "networkPolicy": {
        "enabled": True,
        "egress": [{"ports": [{"port": 443}]}],
        "apiServer": [{"ipBlock": {"cidr": "10.0.0.1/32"}}],
        "dns": [{"ipBlock": {"cidr": "169.254.20.10/32"}}],
        "ingressFrom": [{"podSelector": {}}],
    },
    "statusPolicy": {"enabled": True, "writers": ["system:serviceaccount:velero:velero"]},
    "serviceMonitor": {"enabled": True, "scrapeTimeout": "10s", "labels": {"prometheus": "main"}},
    "prometheusRule": {"enabled": True, "runbookUrl": "https://wiki.example/runbook"},
    "dashboards": {"enabled": True, "annotations": {"folder": "Flow"}},
    "argocd": {"enabled": True},
    "podLabels": {"mesh": "on"},
    "podAnnotations": {"mesh": "on"},
    "commonLabels": {"team": "payments"},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"operator": "Exists"}],
    "imagePullSecrets": [{"name": "registry"}],
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "settings": {"namespaces": ["shop", "billing"], "egressAllow": ["127.0.0.1", "fd00::/8"]},
}


def one(kind: str, values: Values | None = None) -> Object:
    """The only object of a kind."""
    (found,) = [each for each in rendered(values) if each["kind"] == kind]
    return found


def container(values: Values | None = None) -> Object:
    """The operator's container."""
    (found,) = one("Deployment", values)["spec"]["template"]["spec"]["containers"]
    return dict(found)


def settings(values: Values | None = None) -> Settings:
    """What the operator makes of the environment that the chart gives it."""
    environment = {each["name"]: each.get("value", "of-the-pod") for each in container(values)["env"]}
    return load(environment, container(values).get("args", []), Path("/nowhere"))


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@pytest.mark.parametrize("major", [3, 4])
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_lint_has_nothing_to_say(major: int, values: Values) -> None:
    run_helm("lint", "--strict", CHART, "--kube-version", "1.36.3", major=major, values=values)


def test_the_chart_passes_its_own_tests() -> None:
    done = subprocess.run([program("helm-unittest"), "--strict", CHART], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tests: +[1-9][0-9]* passed", done.stdout)


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_both_versions_of_helm_render_the_same(values: Values) -> None:
    assert rendered(values, major=3) == rendered(values, major=4)


def test_every_setting_has_a_value() -> None:
    assert set(VALUES["settings"]) == {camel_case(name) for name in SETTINGS if name not in FROM_THE_POD}


def test_the_defaults_are_the_operators_own_but_for_the_shards() -> None:
    own = load({"FLOW_SHARDS": "8", **{f"FLOW_{name.upper()}": "of-the-pod" for name in FROM_THE_POD}}, [])

    assert settings() == own


def test_every_setting_reaches_the_operator() -> None:
    given: dict[str, Any] = {
        "namespaces": ["shop", "billing"],
        "httpListen": "[::]:9090",
        "serviceUrl": "https://{service}.example/{method}",
        "egressAllow": ["127.0.0.1", "10.0.0.0/8"],
        "egressDeny": ["metadata.example"],
        "shards": 3,
        "leaseDuration": "1m",
        "runConcurrency": 12345678,
        "hostConcurrency": 7,
        "namespaceConcurrency": 5,
        "circuit": "off",
        "answerMemory": "64Mi",
        "logFormat": "text",
        "logLevel": "debug",
    }
    assert set(given) == set(VALUES["settings"])

    written = {
        f"FLOW_{name.upper()}": given[camel_case(name)] if name not in FROM_THE_POD else "of-the-pod"
        for name in SETTINGS
    }
    as_typed = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in written.items()}
    assert settings({"settings": given}) == load(as_typed, [])
    assert container({"settings": given})["ports"] == [{"name": "http", "containerPort": 9090}]


def test_an_empty_value_leaves_the_operators_own_default() -> None:
    empty: dict[str, Any] = {
        name: [] if isinstance(value, list) else None for name, value in VALUES["settings"].items()
    }

    assert settings({"settings": empty}) == load(
        {f"FLOW_{name.upper()}": "of-the-pod" for name in FROM_THE_POD}, [], Path("/nowhere")
    )


def test_calls_in_flight_get_their_time_before_kubelet_kills() -> None:
    assert one("Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= GRACE_SECONDS + 5


def test_the_chart_has_the_version_of_the_operator() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
    assert container()["image"] == f"flow-operator:{__version__}"


def test_a_digest_wins_over_a_tag() -> None:
    image = {"repository": "registry.example/flow", "tag": "main", "digest": "sha256:" + "a" * 64}

    assert container({"image": image})["image"] == "registry.example/flow@sha256:" + "a" * 64


def test_listed_namespaces_get_roles_instead_of_a_cluster_role() -> None:
    values: Values = {"settings": {"namespaces": ["shop", "flow-system"]}, "userRoles": {"create": False}}
    roles = [each for each in rendered(values) if each["kind"].endswith(("Role", "RoleBinding"))]

    assert {(each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]) for each in roles} == {
        (kind, namespace, name)
        for kind in ("Role", "RoleBinding")
        for namespace, name in (
            ("shop", "flow-operator"),
            ("flow-system", "flow-operator"),
            ("flow-system", "flow-operator-own"),
            ("default", "flow-operator-of-flow-system"),
        )
    }


def test_the_right_outside_of_its_namespaces_can_be_left_out() -> None:
    values: Values = {"settings": {"namespaces": ["shop"]}, "rbac": {"apiServerEndpoints": False}}

    assert {each["metadata"].get("namespace") for each in rendered(values) if each["kind"] == "Role"} == {
        "shop",
        "flow-system",
    }


def test_names_stay_within_their_limit_however_long_the_release() -> None:
    text = run_helm("template", "r" * 53, CHART, "--kube-version", "1.36.3", "--values", "-", values=EVERYTHING)

    assert max(len(each["metadata"]["name"]) for each in yaml.safe_load_all(text) if each) <= 63


def test_argo_cd_gets_the_scripts_under_the_keys_that_it_knows() -> None:
    data = one("ConfigMap", {"argocd": {"enabled": True}})["data"]

    for kind in ("Step", "Workflow", "WorkflowExecution"):
        script = (CHART / "files" / "argocd" / kind / "health.lua").read_text()
        assert data.pop(f"resource.customizations.health.flow.unistack.org_{kind}").strip() == script.strip()
    actions = yaml.safe_load(data.pop("resource.customizations.actions.flow.unistack.org_WorkflowExecution"))
    folder = CHART / "files" / "argocd" / "WorkflowExecution" / "actions"
    definitions = {each["name"]: each["action.lua"].strip() for each in actions["definitions"]}
    definitions["discovery"] = actions["discovery.lua"].strip()
    assert definitions == {path.stem: path.read_text().strip() for path in folder.glob("*.lua")}
    assert not data


def test_alerts_and_dashboards_are_taken_as_they_are(tmp_path: Path) -> None:
    """Both have braces of their own, which Helm must leave alone."""
    chart = Path(shutil.copytree(CHART, tmp_path / "chart"))
    alert = {"alert": "Parked", "expr": "flow > 0", "annotations": {"summary": "{{ $labels.workflow }} waits"}}
    board = {"title": "Runs", "panels": [{"legend": "{{phase}}"}]}
    (chart / "files" / "alerts.yaml").write_text(yaml.safe_dump({"groups": [{"name": "flow", "rules": [alert]}]}))
    (chart / "files" / "dashboards").mkdir(exist_ok=True)
    (chart / "files" / "dashboards" / "my_runs.json").write_text(json.dumps(board, indent=2))

    text = run_helm("template", "flow-operator", chart, "--kube-version", "1.36.3", values=EVERYTHING)

    found = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text) if each}
    (rule,) = found["PrometheusRule", "flow-operator"]["spec"]["groups"][0]["rules"]
    assert rule["annotations"].pop("runbook_url")
    assert rule == alert
    map_of_board = found["ConfigMap", "flow-operator-my-runs"]
    assert json.loads(map_of_board["data"]["my_runs.json"]) == board
    assert map_of_board["metadata"]["labels"]["grafana_dashboard"] == "1"


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"setings": {}}, "setings"),
        ({"settings": {"logLevle": "info"}}, "logLevle"),
        ({"settings": {"namespaces": "shop"}}, "namespaces"),
        ({"serviceMonitor": {"interval": "30s1m"}}, "interval"),
        ({"prometheusRule": {"runbookUrl": "docs/runbook.md"}}, "runbookUrl"),
        ({"extraEnv": [{"name": "FLOW_SHARDS", "value": "2"}]}, "extraEnv"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"terminationGracePeriodSeconds": 5}, "terminationGracePeriodSeconds"),
        ({"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}, "not"),
        ({"serviceMonitor": {"enabled": True}, "service": {"enabled": False}}, "service"),
        ({"serviceAccount": {"create": False}}, "serviceAccount.name"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
)
def test_wrong_values_are_refused_by_name(values: Values, complaint: str) -> None:
    with pytest.raises(HelmError, match=complaint):
        rendered(values)
