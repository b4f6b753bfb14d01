"""A program: the operator in a pod whose ServiceAccount's files are in the directory that the argument names."""

import asyncio
import os
import sys
from pathlib import Path

from flow_operator import settings
from flow_operator.__main__ import operate
from flow_operator.adapters import credentials, logs

if __name__ == "__main__":
    access = credentials.load(os.environ, Path(sys.argv[1]))
    found = settings.load(os.environ, [])
    logs.configure("json", found.log_level)
    sys.exit(asyncio.run(operate(found, access)))
