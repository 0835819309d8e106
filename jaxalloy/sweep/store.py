"""Where a sweep lives: a Zarr store that `xarray.open_zarr` opens at any time, finished or not.

Every chunk of the sweep is one Zarr chunk of every variable, written to a temporary file and renamed. When all are in
place their common checksum goes into `checksum`, the manifest: a chunk is done where its checksum is there and agrees.
"""

import errno
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import zarr
from zarr.errors import ZarrUserWarning

from jaxalloy.numerics.checks import InputError, NoResultError
from jaxalloy.sweep.plan import Plan
from jaxalloy.sweep.quantity import NOT_COMPUTED, Output

MANIFEST = "checksum"
VERSIONED = ("jaxalloy", "jax", "jaxlib", "numpy", "zarr")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Store:
    """An open store of one plan. Create one with `create`, or open it with `resume`."""

    def __init__(self, path: pathlib.Path, plan: Plan):
        self.path, self.plan = path, plan
        group = zarr.open_group(path, mode="r+")
        names = [*plan.configuration.stored, "status"]
        self.arrays = {name: array_of(group, name) for name in names}
        self.manifest = array_of(group, MANIFEST)

    @classmethod
    def create(cls, path: pathlib.Path, plan: Plan) -> "Store":
        """Make the store of a plan, empty. Raises `InputError` where there is something already."""
        if path.exists():
            raise InputError(f"{path} exists: continue it with --resume, or name another with --output")
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _lay_out(partial, plan)
            with warnings.catch_warnings():
                # xarray looks for consolidated metadata, which format 3 of Zarr has not adopted yet
                warnings.simplefilter("ignore", ZarrUserWarning)
                zarr.consolidate_metadata(partial)
            os.rename(partial, path)
        except OSError as error:
            raise _cannot_write(path, error) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return cls(path, plan)

    @classmethod
    def resume(cls, path: pathlib.Path, plan: Plan) -> "Store":
        """Open a store to continue it; its chunks keep the size they were made with.

        Raises `InputError` where it is no store of a sweep, or was written under another configuration.
        """
        attributes = read_attributes(path)
        theirs, ours = json.loads(attributes["configuration"]), plan.configuration.canonical()
        if attributes["configuration_hash"] != plan.configuration.digest():
            changed = ", ".join(differences(theirs, ours)) or "the order of the axes"
            raise InputError(
                f"{path} was written under another configuration (it differs in {changed}); "
                "name another store with --output, or remove this one"
            )
        kept = Plan(plan.configuration, tuple(attributes["chunk_shape"]), attributes["abreast"])
        store = cls(path, kept)
        for leftover in path.rglob("*.partial"):
            leftover.unlink(missing_ok=True)
        return store

    def version_changes(self) -> list[str]:
        """Packages whose version is not the one that the store was begun with, in words."""
        written = read_attributes(self.path)
        return [
            f"{name} {written[key]} then, {now} now"
            for name, now in versions().items()
            if written[key := f"version_{name}"] != now
        ]

    def write(self, chunk: int, results: dict[str, np.ndarray]) -> None:
        """Write the results of a chunk, then its checksum. Raises `NoResultError` where the disk is full."""
        region = self.plan.region(chunk)
        try:
            for name, array in self.arrays.items():
                array[region] = results[name]
            self.manifest[chunk] = self._checksum(chunk)
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def done(self, chunk: int) -> bool:
        """Whether a chunk is there and undamaged."""
        recorded = self._recorded(chunk)
        return recorded != 0 and recorded == self._checksum(chunk)

    def missing(self) -> tuple[np.ndarray, int]:
        """Mask of the chunks that are still to be computed, and how many of these are there but damaged."""
        recorded = np.array([self._recorded(chunk) for chunk in range(self.plan.chunks)], np.uint64)
        good = np.array([recorded[i] != 0 and recorded[i] == self._checksum(i) for i in range(len(recorded))], bool)
        return ~good, int(np.sum(~good & (recorded != 0)))

    def status_counts(self, chunk: int) -> dict[int, int]:
        """How many states of a chunk have each status."""
        return tally(np.asarray(self.arrays["status"][self.plan.region(chunk)]))

    def bytes_on_disk(self) -> int:
        """Size of the store."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def chunk_files(self, chunk: int) -> Iterator[pathlib.Path]:
        """The files that hold a chunk, one for every variable."""
        for name, array in self.arrays.items():
            position = self.plan.position(chunk) + (0,) * (array.ndim - len(self.plan.grid))
            yield self.path / name / array.metadata.encode_chunk_key(position)

    def _recorded(self, chunk: int) -> int:
        file = self.path / MANIFEST / self.manifest.metadata.encode_chunk_key((chunk,))
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            return 0
        return int.from_bytes(data, "little") if len(data) == 8 else 1

    def _checksum(self, chunk: int) -> int:
        """Of the bytes of its files; never 0 (nothing there) or 1 (the manifest is damaged)."""
        digest = hashlib.blake2b(digest_size=8)
        for file in self.chunk_files(chunk):
            try:
                data = file.read_bytes()
            except FileNotFoundError:
                return 2
            digest.update(len(data).to_bytes(8, "little") + data)
        return int.from_bytes(digest.digest(), "little") | 4


def tally(status: np.ndarray) -> dict[int, int]:
    """How many there are of every status."""
    return {int(code): int(count) for code, count in zip(*np.unique(status, return_counts=True), strict=True)}


def versions() -> dict[str, str]:
    """What the numbers were computed with."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in VERSIONED}


def read_attributes(path: pathlib.Path) -> dict[str, Any]:
    """The attributes of a store. Raises `InputError` where it is none."""
    if not path.exists():
        raise InputError(f"{path}: there is no such store")
    try:
        attributes = dict(zarr.open_group(path, mode="r").attrs)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is not a Zarr store: name one that `jaxalloy sweep` wrote") from error
    if "configuration_hash" not in attributes:
        raise InputError(f"{path} is not the store of a sweep: name one that `jaxalloy sweep` wrote")
    return attributes


def differences(before: Any, after: Any, where: str = "") -> list[str]:
    """The keys at which two configurations differ, as in axes.temperature."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return [] if before == after else [where]
    keys = dict.fromkeys([*before, *after])
    deeper = where.count(".") == 0
    found = []
    for key in keys:
        name = f"{where}.{key}" if where else key
        if before.get(key) != after.get(key):
            found += differences(before.get(key), after.get(key), name) if deeper else [where]
    return list(dict.fromkeys(found))


def array_of(group: zarr.Group, name: str) -> zarr.Array:
    """An array of a group; anything else by this name is no store of ours."""
    found = group[name]
    if not isinstance(found, zarr.Array):
        raise InputError(f"{group.store_path}: {name} is not an array")
    return found


def _lay_out(path: pathlib.Path, plan: Plan) -> None:
    """The metadata and the coordinates of a store without results."""
    configuration, states = plan.configuration, plan.configuration.states
    quantity, curves, dimensions = configuration.quantity, configuration.lanes().curves, tuple(states.sizes)
    group = zarr.create_group(path, attributes=_attributes(plan))

    def add(name: str, shape: tuple, chunks: tuple, dims: tuple, output: Output, **extra: Any) -> zarr.Array:
        attributes = {"units": output.unit, "long_name": output.meaning} | extra
        aside = [parameter for parameter, (dimension, _) in states.coordinates.items() if parameter != dimension]
        if aside and name not in aside:
            attributes["coordinates"] = " ".join(aside)
        return group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype=output.dtype,
            fill_value=float("nan") if np.dtype(output.dtype).kind == "f" else NOT_COMPUTED,
            dimension_names=dims,
            attributes=attributes,
            config={"write_empty_chunks": True},
        )

    for name, (dimension, values) in states.coordinates.items():
        parameter = quantity.parameters[name]
        output = Output(parameter.unit, parameter.meaning)
        add(name, values.shape, values.shape, (dimension,), output)[:] = values
    for name in configuration.stored:
        output = quantity.outputs[name]
        own = () if output.dimension is None else (len(curves[output.dimension][0]),)
        dims = dimensions if output.dimension is None else (*dimensions, output.dimension)
        add(name, plan.shape + own, plan.tile + own, dims, output)
        if output.dimension is not None and output.dimension not in group:
            values, unit, meaning = curves[output.dimension]
            add(output.dimension, values.shape, values.shape, (output.dimension,), Output(unit, meaning))[:] = values
    words = ["not_computed", *(status.replace(" ", "_") for status in quantity.all_statuses)]
    flags = {"flag_values": list(range(-1, len(words) - 1)), "flag_meanings": " ".join(words)}
    add("status", plan.shape, plan.tile, dimensions, Output("1", "what became of the state", dtype="i1"), **flags)
    group.create_array(
        MANIFEST,
        shape=(plan.chunks,),
        chunks=(1,),
        dtype="u8",
        fill_value=0,
        dimension_names=("chunk",),
        compressors=None,
        attributes={"units": "1", "long_name": "checksum of the files of a chunk of the sweep; 0 where not computed"},
    )


def _attributes(plan: Plan) -> dict[str, Any]:
    configuration = plan.configuration
    return {
        "title": f"jaxalloy sweep of {configuration.quantity.name}",
        "quantity": configuration.quantity.name,
        "configuration": configuration.text(),
        "configuration_hash": configuration.digest(),
        "chunk_shape": list(plan.tile),
        "abreast": plan.abreast,
        **{f"fixed_{name}": value for name, value in configuration.fixed.items()},
        **{f"version_{name}": version for name, version in versions().items()},
    }


def _cannot_write(path: pathlib.Path, error: OSError) -> Exception:
    reason = error.strerror or error
    if error.errno in FULL:
        return NoResultError(
            f"cannot write {path}: {reason}; the chunks written so far are safe: free some space, then use --resume"
        )
    return InputError(f"cannot write {path}: {reason}; name another store with --output")
