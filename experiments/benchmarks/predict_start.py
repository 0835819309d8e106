"""(c) `jaxalloy predict` as a whole process, from shell to prompt: with an empty cache of compiled code, then again.

What dominates is read off the command's own clock; the rest is Python, imports and exit.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from statistics import median

from experiments.benchmarks.harness import FORMULA, record


def predict(cache: str, output: str) -> dict[str, float]:
    """Seconds of one process by stage, and in total."""
    command = [sys.executable, "-m", "jaxalloy", "predict", FORMULA, "--temperature", "1000", "--json"]
    began = time.perf_counter()
    said = subprocess.run(
        [*command, "--output", output],
        env=os.environ | {"JAXALLOY_CACHE": cache},
        check=True,
        capture_output=True,
        text=True,
    )
    total = time.perf_counter() - began
    laps = json.loads(said.stdout)["time_s"]
    return laps | {"python, imports, exit": total - sum(laps.values()), "total": total}


def imports() -> float:
    """Seconds of a process that imports the library and leaves."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import jaxalloy"], check=True)
    return time.perf_counter() - began


def main(repeats: int = 3) -> None:
    rounds: dict[str, list[dict[str, float]]] = {"cold": [], "second": []}
    predict_once_for_the_file_cache()
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for stages in rounds.values():
                stages.append(predict(os.path.join(folder, "cache"), folder))
    medians = {
        name: {stage: round(median(one[stage] for one in stages), 3) for stage in stages[0]}
        for name, stages in rounds.items()
    }
    record("predict_start", {f"{name}_s": stages for name, stages in medians.items()} | {"import_s": imports()})


def predict_once_for_the_file_cache() -> None:
    """Python's byte code and the files' pages are there before anything is timed."""
    with tempfile.TemporaryDirectory() as folder:
        predict(os.path.join(folder, "cache"), folder)


if __name__ == "__main__":
    main()
