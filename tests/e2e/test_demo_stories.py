"""The seven stories of the demo, told without an audience: the same commands, the same checks, and the history."""

import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from examples.order.demo.checks import Graph, differences
from examples.order.demo.screen import Screen
from examples.order.demo.stage import Stage
from examples.order.demo.stories import STORIES, Story
from examples.order.manifests import definitions
from tests.controlplane import eventually
from tests.controlplane.identity import write_private
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


class ShopWorld:
    """What a story needs of the world, in a test's shop."""

    def __init__(self, shop: Shop, directory: Path) -> None:
        self.namespace = shop.namespace
        self.services = shop.services
        self.operator = shop.operator
        self.kubectl = shop.kubectl
        kubeconfig = directory / "person.kubeconfig"
        config = yaml.safe_load(shop.cluster.kubeconfig.read_text())
        config["contexts"][0]["context"]["namespace"] = shop.namespace
        write_private(kubeconfig, yaml.safe_dump(config))
        self.environment = {
            "KUBECONFIG": str(kubeconfig),
            "PATH": sysconfig.get_path("scripts"),
            "HOME": str(directory),
        }


class QuietStage(Stage):
    """A stage whose watchers only wait."""

    def watch(self, order: str, until: Callable[[], bool] | None = None) -> None:
        """Wait until an order has ended, or until a condition holds."""
        wanted = until or (lambda: "completionTime" in self.status(order))
        eventually(wanted, within=30, what=f"what is waited for in {order}")


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.order)
def test_story(story: Story, shop: Shop, tmp_path: Path) -> None:
    shop.define_order()
    stage = QuietStage(ShopWorld(shop, tmp_path), Screen())  # type: ignore[arg-type]

    story.tell(stage, story.order)

    steps = definitions(shop.services.ports)[-1]["spec"]["steps"]
    assert not differences(story.expected, shop.status(story.order), shop.calls(story.order), Graph(steps))
