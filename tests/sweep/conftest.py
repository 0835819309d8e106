"""Small sweeps over the reference liquid, whose states cost microseconds."""

import copy
import os
import pathlib
import subprocess
import sys

import pytest

from jaxalloy.sweep import Configuration, run

LIQUID = {
    "quantity": "structure-factor",
    "store": ["S_CC_0", "S_CC_peak", "entropy_ordering", "S_CC"],
    "options": {"q": {"linear": [0.1, 4.0], "points": 9}},
    "fixed": {"concentration": 0.4, "eta": 0.42, "sigma": 5.0, "temperature": 1000.0},
    "axes": {
        "kappa": {"linear": [0.5, 3.0], "points": 10},
        "epsilon": {"linear": [-0.03, 0.012], "points": 15},
    },
}
TOML = """
quantity = "structure-factor"
store = ["S_CC_0", "S_CC_peak", "entropy_ordering", "S_CC"]
[options]
q = { linear = [0.1, 4.0], points = 9 }
[fixed]
concentration = 0.4
eta = 0.42
sigma = 5.0
temperature = 1000.0
[axes]
kappa = { linear = [0.5, 3.0], points = 80 }
epsilon = { linear = [-0.03, 0.012], points = 75 }
"""
LONG_CHUNK = 20
"""States per chunk of the sweep in `TOML`: it has 320 chunks."""


@pytest.fixture
def liquid():
    """A description of 150 states, to be changed at will."""
    return copy.deepcopy(LIQUID)


@pytest.fixture(scope="session")
def liquid_with():
    """The configuration of those states with other axes or options."""
    return lambda **changes: Configuration.of(copy.deepcopy(LIQUID) | changes)


@pytest.fixture(scope="session")
def long_sweep(tmp_path_factory):
    """A sweep of 6000 states in 320 chunks: its file, and the store of a run from beginning to end in this process."""
    folder = tmp_path_factory.mktemp("long")
    path = folder / "liquid.toml"
    path.write_text(TOML)
    store = folder / "whole" / "liquid.zarr"
    summary = run(Configuration.read(path), store, chunk=LONG_CHUNK)
    assert summary.plan.chunks == 320
    return path, store


@pytest.fixture
def start():
    """Start `jaxalloy` with these arguments as a process of its own; returns it. Those still running are killed."""
    started = []

    def start(*arguments, **environment):
        root = str(pathlib.Path(__file__).resolve().parents[2])
        process = subprocess.Popen(
            [sys.executable, "-m", "jaxalloy", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": root} | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def contents():
    """Every file of a store by name: its bytes."""
    return lambda store: {
        str(file.relative_to(store)): file.read_bytes() for file in sorted(store.rglob("*")) if file.is_file()
    }
