"""A program: become a process in an image, as kubelet would have it started. Runs in a mount namespace of its own.

`enter.py {root, user, env} ENTRYPOINT…`: settings (`FLOW_…`) come along, and what KUBECONFIG names becomes the files of
a pod's service account.
"""

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import yaml

SERVICE_ACCOUNT = Path("run/secrets/kubernetes.io/serviceaccount")


def main() -> None:
    """Never returns: this process becomes the entry point."""
    told, program = json.loads(sys.argv[1]), sys.argv[2:]
    root = Path(told["root"])
    user, group = map(int, told["user"].split(":"))
    environment = dict(each.split("=", 1) for each in told["env"])
    environment |= {name: value for name, value in os.environ.items() if name.startswith("FLOW_")}
    if kubeconfig := os.environ.get("KUBECONFIG"):
        environment |= be_a_pod(root / SERVICE_ACCOUNT, Path(kubeconfig))
    mount("--bind", root, root)
    mount("--types", "proc", "proc", root / "proc")
    mount("--options", "remount,bind,ro", root)
    os.chroot(root)
    os.chdir("/")
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    os.execvpe(program[0], program, environment)


def be_a_pod(directory: Path, kubeconfig: Path) -> Mapping[str, str]:
    """Write the files of the service account; the variables that say where the API server is."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "ca.crt").write_bytes(b64decode(cluster["certificate-authority-data"]))
    (directory / "token").write_text(user["token"])
    (directory / "namespace").write_text("default")
    server = urlsplit(cluster["server"])
    return {"KUBERNETES_SERVICE_HOST": str(server.hostname), "KUBERNETES_SERVICE_PORT": str(server.port)}


def mount(*arguments: str | Path) -> None:
    """Run mount."""
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    main()
