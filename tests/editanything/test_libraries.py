"""Heavy libraries are opened by many threads at once, in any order."""

import subprocess
import sys

SCRIPT = """
from importlib import import_module
from threading import Barrier, Thread
from editanything.libraries import networks

failed = []
parts = ["diffusers.configuration_utils", "mdt.models.segmenter_objective", "mdt.data", "mdt.pipeline",
         "mdt.models", "diffusers", "mdt.checkpoint", "diffusers.utils.logging"]
start = Barrier(len(parts))

def work(part):
    start.wait()
    try:
        networks()
        import_module(part)
    except ImportError as error:
        failed.append(error)

threads = [Thread(target=work, args=(part,)) for part in parts]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
"""


def test_threads_that_import_at_once_all_get_whole_modules():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
