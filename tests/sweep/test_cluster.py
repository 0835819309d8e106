"""Dask: a worker killed in mid-run costs nothing but time, and the store is that of a single process."""

import os
import signal

import pytest

pytest.importorskip("distributed")

from jaxalloy.numerics.checks import InputError
from jaxalloy.sweep import Configuration, run
from jaxalloy.sweep.cluster import local_cluster, visible_gpus


@pytest.fixture
def repository_for_workers(monkeypatch):
    """Workers import what this process imports."""
    import jaxalloy

    monkeypatch.setenv("PYTHONPATH", os.path.dirname(os.path.dirname(jaxalloy.__file__)))


def test_a_killed_worker_changes_nothing(long_sweep, tmp_path, contents, repository_for_workers):
    path, whole = long_sweep
    killed = []
    with local_cluster("2") as cluster:
        workers = [nanny.pid for nanny in cluster.workers.values()]

        def kill_one(progress):
            if progress.done > 1000 and not killed:
                killed.append(workers[0])
                os.kill(workers[0], signal.SIGKILL)

        store = tmp_path / "liquid.zarr"
        summary = run(Configuration.read(path), store, scheduler=cluster.scheduler_address, chunk=20, progress=kill_one)
    assert killed == workers[:1]
    assert summary.computed == 6000
    assert contents(store) == contents(whole)


@pytest.mark.parametrize("scheduler", ["local:none", "local:0", "smoke://signals:1"])
def test_a_scheduler_that_there_is_not(scheduler, long_sweep, tmp_path):
    with pytest.raises(InputError, match=r"--scheduler"):
        run(Configuration.read(long_sweep[0]), tmp_path / "a.zarr", scheduler=scheduler)
    assert not (tmp_path / "a.zarr").exists()


def test_each_local_worker_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert visible_gpus() == ["2", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []
