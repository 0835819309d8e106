"""The script that writes the table of cores lies beside the package, not in it, and wants one BLAS thread."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import sys

import pytest

ROOT = str(pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, ROOT)


@pytest.fixture(scope="session")
def alone():
    """Call a function of the script in a process of its own with one BLAS thread.

    Its matrices are small: two OpenBLAS threads that wait for each other are up to fifty times slower than one.
    """
    changed = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ROOT}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(int).result()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        yield lambda function, *args, **kwargs: pool.submit(function, *args, **kwargs).result()
