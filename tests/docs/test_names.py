"""What documentation names exists: every field, flag, reason, metric and setting, on every page."""

import re
from collections.abc import Iterator

import pytest
import yaml
from tests.docs import vocabulary
from tests.docs.pages import Page, pages

from flow_operator.cli.linting import findings
from flow_operator.cli.manifests import Manifest, read

PAGES = pages()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OF_OTHERS = _words(
    """
    CiliumNetworkPolicy ConfigMap ConfigMaps ControllerRevision ControllerRevisions CustomResourceDefinition
    CustomResourceDefinitions EndpointSlice EndpointSlices GitOps NetworkPolicy NetworkPolicies PartialObjectMetadata
    PodDisruptionBudget PodMonitor PriorityClass PrometheusRule RoleBinding ResourceQuota ServiceAccount ServiceAccounts
    ServiceMonitor TokenRequest ValidatingAdmissionPolicy ClusterRole ClusterRoleBinding InProgress
    RuntimeDefault IfNotPresent PostSync MiB KiB GiB OpenTelemetry OpenMetrics GitHub NaN
    """
)
"""Words in CamelCase that are Kubernetes' or others'."""
FIELDS_OF_OTHERS = _words(
    """
    managedFields resourceVersion generateName dependsOn healthChecks targetRef useOpenLibs ignoreDifferences
    namePrefix nameSuffix gc.freeze cel.bind
    """
)
FLAGS_OF_OTHERS = frozenset({"--reuse-values", "--reset-then-reuse-values", "--take-ownership", "--wait"})
VARIABLES_OF_OTHERS = frozenset({"FLOW_TEST_KUBECONFIG"})
_OPERATOR = re.compile(r"(\w+=\S* )*(\S*/)?flow-operator --")


def parametrized(*, without: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Each page, but for those of which a rule is not true."""
    chosen = [page for page in PAGES if not page.name.startswith(without)]
    return pytest.mark.parametrize("page", chosen, ids=[page.name for page in chosen])


def text_of(page: Page) -> str:
    return "\n".join([page.prose, *(text for _, text in page.blocks)])


def named(page: Page, pattern: str) -> set[str]:
    return set(re.findall(pattern, text_of(page)))


@parametrized()
def test_metrics_exist(page: Page) -> None:
    assert named(page, r"\bflow_(?!operator|attempts$)[a-z_]+[a-z]\b(?![/.])") - vocabulary.metrics() == set()


@parametrized()
def test_settings_exist(page: Page) -> None:
    assert named(page, r"\bFLOW_[A-Z_]+[A-Z]\b") - vocabulary.settings() - VARIABLES_OF_OTHERS == set()


@parametrized()
def test_flags_exist(page: Page) -> None:
    assert list(unknown_flags(page)) == []


def unknown_flags(page: Page) -> Iterator[str]:
    for command in page.commands:
        flags = set(re.findall(r"(?<!\S)--[a-z][a-z-]+", command.partition(" # ")[0]))
        if found := re.search(r"kubectl flow ([a-z]+)", command):
            known = vocabulary.plugin_flags().get(found[1])
            yield from {f"kubectl flow {found[1]}"} if known is None else (f"{found[0]} {f}" for f in flags - known)
        elif _OPERATOR.match(command):
            yield from flags - vocabulary.operator_flags()
        elif re.fullmatch(r"--[a-z-]+", command):
            known = vocabulary.operator_flags().union(FLAGS_OF_OTHERS, *vocabulary.plugin_flags().values())
            yield from flags - known


@parametrized(without=("docs/decisions", "CONTRIBUTING.md", "docs/architecture.md", "docs/reference.md"))
def test_words_of_the_api_exist(page: Page) -> None:
    """Reasons, conditions, kinds and phases, in backticks or not; alerts are sections of the runbook."""
    alerts = set(re.findall(r"^## (Flow\w+)$", next(p.prose for p in PAGES if p.name.endswith("runbook.md")), re.M))
    prose = re.sub(r"\]\(.*?\)|https?:\S+|`[^`]*(\.py|\.md|_test)[^`]*`", "", page.prose)
    words = set(re.findall(r"(?<![\w./-])[A-Z][a-z]+(?:[A-Z][a-z0-9]*)+(?![\w/(]|\.\w)", prose))
    assert words - vocabulary.words() - alerts - OF_OTHERS == set()


@parametrized(without=("docs/decisions",))
def test_fields_exist(page: Page) -> None:
    paths = named(page, r"(?<![\w.-])(?:spec|status)(?:\.[a-z]\w*)+")
    assert sorted(path for path in paths if not vocabulary.is_path(path)) == []


@parametrized(without=("docs/decisions", "CONTRIBUTING.md", "docs/architecture.md"))
def test_names_in_backticks_exist(page: Page) -> None:
    assert [span for span in page.spans if not is_known(span)] == []


def is_known(span: str) -> bool:
    """A field, a path, a value of the chart; what looks like none of these is not judged."""
    if re.fullmatch(r"[a-z]+(?:[A-Z][a-z]*)+", span):
        return span in vocabulary.fields() | vocabulary.values() | vocabulary.words() | FIELDS_OF_OTHERS or any(
            path.endswith(f".{span}") for path in vocabulary.values()
        )
    if span in FIELDS_OF_OTHERS or not re.fullmatch(r"[a-z]\w*(?:\.[a-z]\w*)+", span):
        return True
    root = span.partition(".")[0]
    if root in vocabulary.MESSAGES or "_" in span or re.search(r"\.(py|md|ya?ml|io|org|txt|json|toml)$", span):
        return True
    return span in vocabulary.values() or vocabulary.is_path(span)


@parametrized()
def test_manifests_have_no_findings(page: Page, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a reader may copy is right: every Workflow, Step and run in a block of YAML."""
    text = "\n---\n".join(text for language, text in page.blocks if language == "yaml" and "flow.unistack.org" in text)
    if not text:
        return
    file = tmp_path_factory.mktemp("page") / "page.yaml"
    file.write_text(text)
    assert all(isinstance(document, dict | None) for document in yaml.safe_load_all(text))
    manifests = [each for each in read(str(file)) if isinstance(each, Manifest)]
    assert manifests
    assert [f"{each.title} {finding}" for each in manifests for finding in findings(each, manifests)] == []


@pytest.mark.parametrize(
    ("path", "exists"),
    [
        ("spec.steps.retry.limit", True),
        ("spec.workflowRef.name", True),
        ("status.compensation.plan", True),
        ("spec.input.body.anything", True),
        ("retry.backoff.cap", True),
        ("spec.steps.retry.often", False),
        ("status.nothing", False),
        ("onExhausted", False),
    ],
)
def test_paths_are_looked_up_in_the_models(path: str, *, exists: bool) -> None:
    assert vocabulary.is_path(path) is exists
