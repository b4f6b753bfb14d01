"""Keeps a control plane up for a person: `python -m tests.controlplane`."""

import argparse
import signal
import sys
import time
from types import FrameType

from tests.controlplane.binaries import BinariesError, find_kubectl, find_or_build
from tests.controlplane.cluster import KubectlError
from tests.controlplane.controlplane import ControlPlane
from tests.controlplane.process import ServerError

LIVENESS_PERIOD = 0.5


def main() -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if options.build_only:
            print(find_or_build().etcd.parent)
        else:
            _serve(ControlPlane(fsync=options.fsync))
    except KeyboardInterrupt:
        return 0 if not options.build_only else 130
    except (BinariesError, KubectlError, ServerError, TimeoutError) as error:
        print(f"controlplane: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.controlplane",
        description="Run a real kube-apiserver, etcd and kube-controller-manager on loopback until Ctrl-C.",
    )
    parser.add_argument("--build-only", action="store_true", help="build the binaries, print where they are, and end")
    parser.add_argument("--fsync", action="store_true", help="let etcd sync to disk as in production (slower)")
    return parser


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _serve(control_plane: ControlPlane) -> None:
    started = time.monotonic()
    with control_plane:
        print(_greeting(control_plane, time.monotonic() - started), flush=True)
        while True:
            control_plane.check()
            time.sleep(LIVENESS_PERIOD)


def _greeting(control_plane: ControlPlane, seconds: float) -> str:
    crds = control_plane.kubectl("get", "crds", "-o", "name").splitlines()
    installed = "".join(f"\n  {name.partition('/')[2]}" for name in crds) or " none (crds/ is empty)"
    return f"""\
Kubernetes is up at {control_plane.url}, after {seconds:.1f} s. In another terminal:

  export KUBECONFIG={control_plane.kubeconfig}
  {find_kubectl()} get namespaces

CRDs installed:{installed}
Logs and the audit log are in {control_plane.directory}
Ctrl-C stops it and removes everything."""


if __name__ == "__main__":
    sys.exit(main())
