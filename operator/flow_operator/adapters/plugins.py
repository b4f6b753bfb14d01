"""A plugin that a kubeconfig has make a token is ended when it gives none: the library would wait for it for ever."""

import subprocess
from importlib import import_module
from types import SimpleNamespace
from typing import Any

PLUGIN_SECONDS = 30.0


class Plugin(subprocess.Popen[str]):
    """The process of a plugin."""

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:
        """What it writes. Raises TimeoutError if it does not end in time."""
        try:
            return super().communicate(input, timeout or PLUGIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._end()
            raise TimeoutError(f"exec: {self.args!r} has given no token within {PLUGIN_SECONDS:g} s") from None

    def _end(self) -> None:
        self.kill()
        self.wait()
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()  # not read to its end: what the plugin has started may hold the other one


def limit_plugins() -> None:
    """Have the library start plugins as processes that are ended in time; it has no setting for that."""
    for name in ("exec_provider", "kube_config"):
        module: Any = import_module(f"kubernetes.config.{name}")
        module.subprocess = SimpleNamespace(Popen=Plugin, PIPE=subprocess.PIPE)
