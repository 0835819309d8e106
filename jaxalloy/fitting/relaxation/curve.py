"""An annealing curve and the CSV files it is read from."""

import csv
import dataclasses
import pathlib
import re

import numpy as np

from jaxalloy._typing import Float
from jaxalloy.numerics.checks import InputError, require, require_finite, require_positive

SECONDS = {
    "fs": 1e-15,
    "ps": 1e-12,
    "ns": 1e-9,
    "us": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
    "days": 86400.0,
}
"""Units of time that are understood; a curve in any other unit is fitted, but gives no energies."""

FEWEST_POINTS = 8
HEADER = re.compile(r"^\s*(?P<name>[^()\[\]]+?)\s*[(\[]\s*(?P<unit>[^()\[\]]*?)\s*[)\]]\s*$")
EXAMPLE = "e.g. 'time (s),enthalpy (meV/atom),error (meV/atom)'; '(1)' where there is no unit"


@dataclasses.dataclass(frozen=True)
class AnnealingCurve:
    """One isothermal anneal: a property that follows the order parameter, against the time since it began.

    times: not before 0, increasing, (t,). values: (t,). errors: standard deviations of the values, (t,), or None
    where they are to be estimated from the scatter. temperature: K, or None. Raises `InputError` for fewer than
    eight points, times that do not increase, numbers that are not finite and errors that are not positive.
    """

    times: Float[np.ndarray, " t"]
    values: Float[np.ndarray, " t"]
    errors: Float[np.ndarray, " t"] | None = None
    temperature: float | None = None
    time_unit: str = "1"
    value_unit: str = "1"
    quantity: str = "value"
    source: str = "arrays"

    def __post_init__(self) -> None:
        if len(self.times) < FEWEST_POINTS:
            raise InputError(f"{self.source}: {len(self.times)} points; give at least {FEWEST_POINTS} per temperature")
        require_finite(f"{self.source}: time", self.times)
        require_finite(f"{self.source}: {self.quantity}", self.values)
        require(f"{self.source}: time", self.times, lambda t: t >= 0, "times count from the start of the anneal")
        step = np.diff(self.times, prepend=-np.inf)
        if (step <= 0).any():
            late = self.times[step <= 0][0]
            raise InputError(f"{self.source}: time {late:.6g} does not exceed the time before; sort, one row per time")
        if self.errors is not None:
            require_positive(f"{self.source}: error", self.errors, "an error must be positive; leave the column away")
        if self.temperature is not None:
            require_positive(f"{self.source}: temperature (K)", self.temperature)

    @property
    def seconds(self) -> float | None:
        """Seconds in the unit of time; None where it is not one of `SECONDS`."""
        return SECONDS.get(self.time_unit)


def read_annealing_curves(path: str | pathlib.Path) -> list[AnnealingCurve]:
    """The curves of a CSV file with one header line: time, value[, error][, temperature], units in brackets.

    Columns are told by their names; the one that is none of time, error and temperature is the value. A
    temperature column (K) cuts the file into one curve for each temperature. Lines that start with # are
    skipped. Raises `InputError` naming the file, the line and what it should hold.
    """
    rows = _rows(pathlib.Path(path))
    names, units = _header(path, *rows[0])
    numbers = np.array([_numbers(path, line, row, names) for line, row in rows[1:]]).reshape(-1, len(names))
    column = dict(zip(names, numbers.T, strict=True))
    (quantity,) = [name for name in names if name not in ("time", "error", "temperature")]
    temperatures = column.get("temperature")
    levels = [None] if temperatures is None else [float(level) for level in np.unique(temperatures)]
    curves = []
    for level in levels:
        chosen = np.ones(len(numbers), bool) if level is None else temperatures == level
        curves.append(
            AnnealingCurve(
                times=column["time"][chosen],
                values=column[quantity][chosen],
                errors=column["error"][chosen] if "error" in column else None,
                temperature=level,
                time_unit=units["time"],
                value_unit=units[quantity],
                quantity=quantity,
                source=str(path) if level is None else f"{path} at {level:g} K",
            )
        )
    return curves


def _rows(path: pathlib.Path) -> list[tuple[int, list[str]]]:
    """The rows with their line numbers, without comments and empty lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8; save it as CSV") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a CSV file with time, value[, error]") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    kept = [(number, line) for number, line in lines if not line.lstrip().startswith("#")]
    if not kept:
        raise InputError(f"{path}: the file is empty; the first line names the columns, {EXAMPLE}")
    return [(number, row) for number, line in kept for row in csv.reader([line])]


def _header(path: str | pathlib.Path, line: int, cells: list[str]) -> tuple[list[str], dict[str, str]]:
    """Column names in lower case, and their units."""
    matches = [HEADER.match(cell) for cell in cells]
    for cell, match in zip(cells, matches, strict=True):
        if match is None or not match["unit"]:
            raise InputError(f"{path}, line {line}: column {cell.strip()!r} has no name with a unit; {EXAMPLE}")
    found = [(match["name"].lower(), match["unit"]) for match in matches if match]
    names, units = [name for name, _ in found], dict(found)
    if len(set(names)) < len(names):
        raise InputError(f"{path}, line {line}: two columns of the same name; keep one")
    if "time" not in names:
        raise InputError(f"{path}, line {line}: no column 'time'; {EXAMPLE}")
    values = [name for name in names if name not in ("time", "error", "temperature")]
    if len(values) != 1:
        told = ", ".join(values) or "none"
        raise InputError(f"{path}, line {line}: one column of values is needed, found {told}; {EXAMPLE}")
    if "error" in units and units["error"] != units[values[0]]:
        raise InputError(f"{path}, line {line}: error in {units['error']}, {values[0]} in {units[values[0]]}: use one")
    if units.get("temperature", "K") != "K":
        raise InputError(f"{path}, line {line}: temperature in {units['temperature']}: give it in K")
    return names, units


def _numbers(path: str | pathlib.Path, line: int, row: list[str], names: list[str]) -> list[float]:
    if len(row) != len(names):
        raise InputError(f"{path}, line {line}: {len(row)} columns, the header has {len(names)}")
    try:
        return [float(cell) for cell in row]
    except ValueError as error:
        raise InputError(f"{path}, line {line}: {error.args[0]}; every cell must be a number") from error
