"""Run the demo: `python -m examples.order.demo`, or `make demo`.

KUBECONFIG names a cluster to use instead of an own control plane; KEEP=1 leaves everything running at the end.
"""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import yaml
from tests.controlplane import BinariesError, KubectlError, ServerError

from examples.order.demo.checks import Graph, differences
from examples.order.demo.monitoring import seen
from examples.order.demo.operator_process import OperatorError
from examples.order.demo.screen import Screen
from examples.order.demo.stage import Stage, StoryError
from examples.order.demo.stories import STORIES, Story
from examples.order.demo.summary import most_effects_per_key, summary
from examples.order.demo.world import SCRIPTS, World, WorldError
from examples.order.manifests import DIRECTORY
from examples.order.services import Entry

SETUP_ERRORS = (BinariesError, KubectlError, OperatorError, ServerError, TimeoutError, WorldError)
STORY_ERRORS = (KubectlError, OperatorError, StoryError, TimeoutError)


def main() -> int:
    """Tell the stories and return the exit code: 0 if all of them went as they should."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    screen = Screen()
    try:
        with World(screen, os.environ.get("KUBECONFIG")) as world:
            stage = Stage(world, screen)
            failed = _tell(stage)
            if os.environ.get("KEEP", "") not in ("", "0"):
                _keep(stage)
        return 1 if failed else 0
    except SETUP_ERRORS as error:
        screen.bad(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _tell(stage: Stage) -> bool:
    """Install the saga, tell each story, sum up; whether anything went wrong."""
    graph = Graph(yaml.safe_load((DIRECTORY / "workflow.yaml").read_text())["spec"]["steps"])
    stage.install()
    wrong = {story.order: _told(stage, story, number, graph) for number, story in enumerate(STORIES, start=1)}
    calls = stage.world.services.entries()
    stage.screen.heading("What happened")
    stage.run("kubectl get fwx")
    stage.screen.table(summary(calls))
    if stage.world.prometheus is not None:
        wrong["Prometheus"] = seen(stage.world.prometheus, [story.expected.phase for story in STORIES], stage.screen)
    return _conclude(stage.screen, wrong, calls)


def _told(stage: Stage, story: Story, number: int, graph: Graph) -> list[str]:
    """Tell one story and check it; what is wrong with it."""
    stage.screen.heading(f"{number}. {story.title}")
    try:
        story.tell(stage, story.order)
        stage.world.operator.check()
        wrong = differences(story.expected, stage.status(story.order), stage.calls(story.order), graph)
    except STORY_ERRORS as error:
        wrong = [str(error)]
    for difference in wrong:
        stage.screen.bad(difference)
    if wrong:
        stage.screen.output(f"The end of the operator's log:\n{stage.world.operator.log_tail()}")
    else:
        calls = stage.calls(story.order)
        stage.screen.good(f"{len(calls)} calls as expected, in the right order, and one effect per key")
    stage.reset()
    return wrong


def _conclude(screen: Screen, wrong: dict[str, list[str]], calls: Sequence[Entry]) -> bool:
    keys = len({call.key for call in calls})
    screen.note(f"{len(calls)} calls under {keys} keys; no key had more than {most_effects_per_key(calls)} effect.")
    failed = [order for order, differences in wrong.items() if differences]
    if not failed:
        screen.good(f"All {len(STORIES)} stories went as they should.")
    for order in failed:
        screen.bad(f"{order}: {'; '.join(wrong[order])}")
    return bool(failed)


def _keep(stage: Stage) -> None:
    """Leave everything running until Ctrl-C, and say how to reach it."""
    world, screen = stage.world, stage.screen
    screen.heading("Everything stays up until Ctrl-C")
    screen.output(f"export KUBECONFIG={world.kubeconfig}\nexport PATH={SCRIPTS}:$PATH\nkubectl get fwf,fstep,fwx")
    screen.fact("services", " ".join(f"{name}:{port}" for name, port in world.services.ports.items()))
    screen.fact("journals", f"{world.directory}/*.jsonl")
    screen.fact("operator log", str(world.operator.log))
    if world.prometheus is not None:
        screen.fact("Prometheus", world.prometheus.url)
    try:
        signal.pause()
    except KeyboardInterrupt:
        screen.note("Stopped.")


if __name__ == "__main__":
    sys.exit(main())
