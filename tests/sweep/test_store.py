"""The store opens in xarray, resumes, notices damage, and refuses what it was not made for."""

import errno
import json
import os
import shutil

import numpy as np
import pytest
import xarray as xr

from jaxalloy.numerics.checks import InputError, NoResultError
from jaxalloy.sweep import Configuration, run
from jaxalloy.sweep.evaluate import Evaluator
from jaxalloy.sweep.store import Store

CHUNK = 30


@pytest.fixture(scope="module")
def whole(liquid_with, tmp_path_factory):
    """The finished store of the 150 states in 5 chunks."""
    path = tmp_path_factory.mktemp("whole") / "liquid.zarr"
    summary = run(liquid_with(), path, chunk=CHUNK)
    assert summary.plan.chunks == 5
    return path


@pytest.fixture
def copied(whole, tmp_path):
    """A copy of it to be damaged."""
    copy = tmp_path / "copy.zarr"
    shutil.copytree(whole, copy)
    return copy


@pytest.fixture
def computed(monkeypatch):
    """The chunks that are computed from here on."""
    chunks = []
    original = Evaluator.__call__

    def counted(self, chunk):
        chunks.append(chunk)
        return original(self, chunk)

    monkeypatch.setattr(Evaluator, "__call__", counted)
    return chunks


def test_xarray_opens_it_with_dimensions_units_versions_and_configuration(whole, liquid_with):
    configuration = liquid_with()
    with xr.open_zarr(whole) as dataset:
        assert dataset.S_CC.dims == ("kappa", "epsilon", "q")
        assert dict(dataset.sizes) == {"kappa": 10, "epsilon": 15, "q": 9, "chunk": 5}
        for name in ("kappa", "epsilon", "q", "S_CC_0", "S_CC_peak", "entropy_ordering", "S_CC", "status", "checksum"):
            assert dataset[name].attrs["units"], name
            assert dataset[name].attrs["long_name"], name
        assert dataset.entropy_ordering.attrs["units"] == "k_B/atom"
        np.testing.assert_array_equal(dataset.kappa, np.linspace(0.5, 3.0, 10))
        assert dataset.attrs["configuration_hash"] == configuration.digest()
        assert json.loads(dataset.attrs["configuration"]) == configuration.canonical()
        assert {"version_jaxalloy", "version_jax", "version_numpy", "version_zarr"} <= set(dataset.attrs)
        assert dataset.attrs["fixed_sigma"] == 5.0
        words = dict(
            zip(dataset.status.attrs["flag_values"], dataset.status.attrs["flag_meanings"].split(), strict=True)
        )
        assert (words[-1], words[0], words[1]) == ("not_computed", "converged", "beyond_the_spinodal")
        assert set(np.unique(dataset.status)) == {0, 1}
        assert (np.isnan(dataset.S_CC_0) == (dataset.status == 1)).all()


def test_coordinates_of_axes_that_run_together(liquid_with, tmp_path):
    axes = {"kappa": {"sobol": [1, 3], "points": 8}, "epsilon": {"sobol": [-0.03, -0.01], "points": 8}}
    run(liquid_with(axes=axes), tmp_path / "sobol.zarr", chunk=3)
    with xr.open_zarr(tmp_path / "sobol.zarr") as dataset:
        assert dataset.S_CC_0.dims == ("sample",)
        assert set(dataset.coords) == {"kappa", "epsilon", "q"}
        assert (dataset.status == 0).all()


def test_an_existing_store_is_not_written_over(whole, liquid_with):
    with pytest.raises(InputError, match="exists: continue it with --resume"):
        run(liquid_with(), whole)


def test_a_complete_store_has_nothing_left_to_do(whole, liquid_with, computed, contents):
    before = contents(whole)
    summary = run(liquid_with(), whole, resume=True)
    assert (summary.computed, summary.damaged, computed) == (0, 0, [])
    assert sum(summary.statuses.values()) == 150
    assert contents(whole) == before


def damage_by_truncation(copied):
    file = copied / "S_CC" / "c" / "1" / "0" / "0"
    file.write_bytes(file.read_bytes()[:-7])


def damage_by_a_changed_byte(copied):
    file = copied / "S_CC_0" / "c" / "1" / "0"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def damage_by_removal(copied):
    (copied / "status" / "c" / "1" / "0").unlink()


def damage_by_another_chunk(copied):
    """A valid chunk in the wrong place."""
    folder = copied / "S_CC_0" / "c"
    (folder / "1" / "0").write_bytes((folder / "2" / "0").read_bytes())


def damage_of_the_manifest(copied):
    (copied / "checksum" / "c" / "1").write_bytes(b"\x07")


@pytest.mark.parametrize(
    "damage",
    [
        damage_by_truncation,
        damage_by_a_changed_byte,
        damage_by_removal,
        damage_by_another_chunk,
        damage_of_the_manifest,
    ],
)
def test_a_damaged_chunk_is_computed_again(damage, whole, copied, liquid_with, computed, contents):
    damage(copied)
    summary = run(liquid_with(), copied, resume=True)
    assert (summary.damaged, summary.computed, computed) == (1, 30, [1])
    assert contents(copied) == contents(whole)


def test_another_configuration_is_refused(whole, liquid_with, contents):
    before = contents(whole)
    fixed = {"concentration": 0.4, "eta": 0.42, "sigma": 5.1, "temperature": 1000.0}
    axes = {"kappa": {"linear": [0.5, 3.1], "points": 10}, "epsilon": {"linear": [-0.03, 0.012], "points": 15}}
    with pytest.raises(InputError, match=r"another configuration .it differs in fixed.sigma, axes.kappa.; .*--output"):
        run(liquid_with(fixed=fixed, axes=axes), whole, resume=True)
    with pytest.raises(InputError, match=r"it differs in store"):
        run(liquid_with(store=["S_CC_0"]), whole, resume=True)
    axes = {"epsilon": {"linear": [-0.03, 0.012], "points": 15}, "kappa": {"linear": [0.5, 3.0], "points": 10}}
    with pytest.raises(InputError, match=r"it differs in the order of the axes"):
        run(liquid_with(axes=axes), whole, resume=True)
    assert contents(whole) == before


def test_a_folder_that_is_no_store_is_refused(tmp_path, liquid_with):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is not a Zarr store"):
        run(liquid_with(), tmp_path / "empty", resume=True)


def test_other_versions_are_told(copied, liquid_with, monkeypatch):
    damage_by_removal(copied)
    now = {"jax": "99.0"}
    monkeypatch.setattr("jaxalloy.sweep.store.versions", lambda: now)
    summary = run(liquid_with(), copied, resume=True)
    assert len(summary.warnings) == 1
    assert "99.0 now" in summary.warnings[0]


def test_a_full_disk_is_a_clear_error_and_resumable(whole, liquid_with, tmp_path, monkeypatch, contents):
    """The disk fills up while the third chunk is written; some of its variables are there already."""
    path, written = tmp_path / "full.zarr", []
    put = Store.write

    def full(self, chunk, results):
        written.append(chunk)
        if len(written) == 3:
            array = self.arrays["entropy_ordering"]
            self.arrays["S_CC"][self.plan.region(chunk)] = results["S_CC"]

            def refuse(*arguments):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            monkeypatch.setattr(type(array), "__setitem__", refuse)
        put(self, chunk, results)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        with pytest.raises(NoResultError, match=r"No space left on device; .*free some space, then use --resume"):
            run(liquid_with(), path, chunk=CHUNK)
    monkeypatch.undo()
    summary = run(liquid_with(), path, resume=True)
    assert (summary.computed, summary.damaged) == (90, 0)
    assert contents(path) == contents(whole)


def test_a_folder_that_cannot_be_written(liquid_with, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*file.*--output"):
        run(liquid_with(), tmp_path / "file" / "liquid.zarr")


def test_leftovers_of_killed_writers_are_removed(copied, whole, liquid_with, contents):
    (copied / "S_CC" / "c" / "1" / "0" / "0.8a3f.partial").write_bytes(b"half")
    run(liquid_with(), copied, resume=True)
    assert contents(copied) == contents(whole)


def test_progress_counts_states_and_failures(liquid_with, tmp_path):
    seen = []
    summary = run(
        liquid_with(),
        tmp_path / "a.zarr",
        chunk=CHUNK,
        progress=lambda p: seen.append((p.done, p.total, p.failures, p.rate, p.seconds_left)),
    )
    assert [done for done, *_ in seen] == [30, 60, 90, 120, 150]
    assert seen[-1][2] == summary.statuses["beyond the spinodal"] > 0
    assert seen[-1][4] == 0
    assert all(rate > 0 for *_, rate, _ in seen)


def test_the_configuration_of_a_store_can_be_used_again(whole, liquid_with):
    attributes = xr.open_zarr(whole).attrs
    from jaxalloy.sweep.configuration import from_text

    assert isinstance(from_text(attributes["configuration"]), Configuration)
    assert from_text(attributes["configuration"]).digest() == liquid_with().digest()
