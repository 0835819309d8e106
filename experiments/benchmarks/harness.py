"""Clocks that tell the truth about JAX, and a JSON record of where a number was measured.

Compilation is timed apart from runs; a run is over when its results are there; what is compared is measured in
alternation, so that whatever else the machine does hits both; medians, and the ratio from the same rounds.
"""

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax

RESULTS = pathlib.Path(__file__).parent / "results"

FORMULA, SYMBOLS = "Li0.8Pb0.2", ("Li", "Pb")


def machine() -> dict[str, Any]:
    """Where and with what this runs."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": platform.platform(),
        "processor": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_at_start": os.getloadavg()[0],
        "device": str(jax.devices()[0].device_kind),
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in ("jaxalloy", "jax", "numpy", "scipy")},
    }


def compiled(function: Callable, *arguments: Any) -> tuple[Callable, dict[str, float]]:
    """`function` compiled for these arguments, with the seconds that tracing, compiling and the first run took."""
    began = time.perf_counter()
    lowered = jax.jit(function).lower(*arguments)
    traced = time.perf_counter()
    ready = lowered.compile()
    built = time.perf_counter()
    jax.block_until_ready(ready(*arguments))
    ran = time.perf_counter()
    return ready, {"trace_s": traced - began, "compile_s": built - traced, "first_run_s": ran - built}


def seconds(run: Callable[[], Any], loops: int = 1) -> float:
    """Wall-clock seconds of one run, results included; the mean over `loops`."""
    began = time.perf_counter()
    for _ in range(loops):
        jax.block_until_ready(run())
    return (time.perf_counter() - began) / loops


def processor_seconds(run: Callable[[], Any]) -> tuple[float, float]:
    """Wall-clock seconds of one run, and processor seconds of all threads of this process meanwhile."""
    began = time.process_time()
    wall = seconds(run)
    return wall, time.process_time() - began


def alternate(
    contenders: dict[str, Callable[[], Any]], repeats: int, loops: dict[str, int] | None = None
) -> dict[str, list[float]]:
    """Seconds of every contender in every round, one after the other within a round; warm them up first."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            times[name].append(seconds(run, (loops or {}).get(name, 1)))
    return times


def ratio(slow: list[float], fast: list[float]) -> float:
    """Median over the rounds of how many times faster the second is."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def record(name: str, results: dict[str, Any]) -> None:
    """Print the results and write them, with the machine, into experiments/benchmarks/results/NAME.json, to be kept."""
    text = json.dumps({"benchmark": name} | machine() | results, indent=2)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(text + "\n")
    print(f"wrote {path}")
