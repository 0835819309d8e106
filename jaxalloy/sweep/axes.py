"""What a sweep runs over: values of one quantity, spaced evenly, by ratios, listed, or a Sobol sequence of several."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from jaxalloy.numerics.checks import InputError

SCALES = ("linear", "log", "list", "sobol")
SAMPLE, STATE = "sample", "state"
"""Dimensions of a Sobol sequence, and of axes that run together (`combine = "zip"`)."""


def unknown(where: str, key: Any, valid: Iterable[str]) -> InputError:
    """The error about a key that does not exist, with the nearest one that does."""
    valid = list(valid)
    near = difflib.get_close_matches(str(key), valid, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(valid))}"
    return InputError(f"{where}: no {key!r} here; {remedy}")


@dataclasses.dataclass(frozen=True)
class Axis:
    """One axis: its scale, the two ends (or every value of a list) and the number of points."""

    name: str
    scale: str
    numbers: tuple[float, ...]
    points: int

    @classmethod
    def read(cls, name: str, given: Any, scales: tuple[str, ...] = SCALES) -> "Axis":
        """From the table of a TOML file, as in `{ linear = [0.1, 0.9], points = 17 }`, or a list of values."""
        where = f"axis {name!r}"
        if isinstance(given, list):
            given = {"list": given}
        if not isinstance(given, Mapping):
            raise InputError(f"{where} = {given!r}: write {{ linear = [0.1, 0.9], points = 17 }}, or a list of values")
        for key in given:
            if key not in (*scales, "points"):
                raise unknown(where, key, (*scales, "points"))
        named = [scale for scale in scales if scale in given]
        if len(named) != 1:
            raise InputError(f"{where}: name one of {', '.join(scales)}, not {' and '.join(named) or 'none'}")
        scale = named[0]
        numbers = _numbers(where, given[scale])
        if scale == "list":
            points = given.get("points", len(numbers))
            if points != len(numbers):
                raise InputError(f"{where}: points = {points} for a list of {len(numbers)} values; leave points away")
            return cls(name, scale, numbers, len(numbers))
        if len(numbers) != 2:
            raise InputError(f"{where}: {scale} = {list(numbers)}: give the first and the last value")
        points = given.get("points")
        if not isinstance(points, int) or points < 1:
            raise InputError(f"{where}: points = {points!r}: give the number of values, 1 or more")
        if scale == "log" and min(numbers) <= 0:
            raise InputError(f"{where}: log = {list(numbers)}: both ends must be positive")
        if scale == "sobol" and points & (points - 1):
            below = 2 ** (points.bit_length() - 1)
            raise InputError(f"{where}: points = {points}: a Sobol sequence has a power of two, {below} or {2 * below}")
        return cls(name, scale, numbers, points)

    def values(self) -> np.ndarray:
        """Its values, (points,); those of a Sobol axis are drawn by `sobol`, together with the others."""
        if self.scale == "list":
            return np.asarray(self.numbers)
        first, last = self.numbers
        if self.scale == "log":
            return np.geomspace(first, last, self.points)
        return np.linspace(first, last, self.points)

    def canonical(self) -> dict[str, Any]:
        """What says everything about it, for the hash."""
        return {"scale": self.scale, "numbers": list(self.numbers), "points": self.points}


def _numbers(where: str, given: Any) -> tuple[float, ...]:
    is_list = isinstance(given, list | tuple) and len(given) > 0
    if not is_list or any(isinstance(x, bool) or not isinstance(x, int | float) for x in given):
        raise InputError(f"{where} = {given!r}: a list of numbers is needed")
    if not all(np.isfinite(given)):
        raise InputError(f"{where} = {given!r}: every number must be finite")
    return tuple(1.0 * x for x in given)


def sobol(axes: list[Axis], seed: int) -> dict[str, np.ndarray]:
    """Values of the Sobol axes, (points,) each: one scrambled sequence in as many dimensions as there are axes."""
    from scipy.stats import qmc

    if len({axis.points for axis in axes}) > 1:
        counts = ", ".join(f"{axis.name} {axis.points}" for axis in axes)
        raise InputError(f"Sobol axes are one sequence: give all of them the same points, not {counts}")
    unit = qmc.Sobol(len(axes), scramble=True, rng=np.random.default_rng(seed)).random(axes[0].points)
    return {
        axis.name: low + (high - low) * column
        for axis, column, (low, high) in zip(axes, unit.T, [axis.numbers for axis in axes], strict=True)
    }


@dataclasses.dataclass(frozen=True)
class States:
    """All states of a sweep without listing them: dimensions, coordinates along them, and what is the same for all.

    sizes: number of points by dimension. coordinates: (dimension, values) by parameter. fixed: by parameter.
    """

    sizes: dict[str, int]
    coordinates: dict[str, tuple[str, np.ndarray]]
    fixed: dict[str, float]

    @classmethod
    def of(cls, axes: tuple[Axis, ...], combine: str, seed: int, fixed: dict[str, float]) -> "States":
        """Every combination of the axes ("cartesian"), or their first values, their second values, ... ("zip")."""
        drawn = [axis for axis in axes if axis.scale == "sobol"]
        values = {axis.name: axis.values() for axis in axes if axis.scale != "sobol"}
        values |= sobol(drawn, seed) if drawn else {}
        if combine == "zip":
            if len({axis.points for axis in axes}) > 1:
                counts = ", ".join(f"{axis.name} {axis.points}" for axis in axes)
                raise InputError(f'combine = "zip" needs axes of the same length, not {counts}; or use "cartesian"')
            place = {axis.name: STATE for axis in axes}
        else:
            place = {axis.name: SAMPLE if axis.scale == "sobol" else axis.name for axis in axes}
        sizes = {place[axis.name]: axis.points for axis in axes}
        return cls(sizes, {axis.name: (place[axis.name], values[axis.name]) for axis in axes}, fixed)

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along every dimension."""
        return tuple(self.sizes.values())

    def block(self, region: tuple[slice, ...]) -> dict[str, np.ndarray]:
        """The parameters of the states in a rectangular region, (states,) each, the last dimension running fastest."""
        dimensions = list(self.sizes)
        shape = tuple(len(range(*part.indices(size))) for part, size in zip(region, self.shape, strict=True))
        count = int(np.prod(shape))
        out = {name: np.full(count, value) for name, value in self.fixed.items()}
        for name, (dimension, values) in self.coordinates.items():
            axis = dimensions.index(dimension)
            along = values[region[axis]].reshape([-1 if i == axis else 1 for i in range(len(shape))])
            out[name] = np.broadcast_to(along, shape).ravel()
        return out
