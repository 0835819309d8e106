"""Look an element up in the table that ships with the package."""

import csv
import functools
import importlib.resources
from dataclasses import dataclass
from typing import Any

from jaxalloy.constants import DALTON_PER_BOHR3_IN_G_PER_CM3
from jaxalloy.numerics.checks import InputError


@dataclass(frozen=True)
class Element:
    """One row of `table.csv`: valence, mass (dalton), liquid density (g/cm^3) and its slope (g/cm^3/K) from the
    melting point (K) on, electron-density parameter of the solid (bohr), and the sources of the numbers."""

    symbol: str
    name: str
    valence: int
    mass: float
    melting_point: float
    liquid_density: float
    density_slope: float
    solid_rs: float
    density_source: str
    solid_rs_source: str

    def liquid_volume(self, temperature):
        """Atomic volume of the pure liquid, bohr^3, at `temperature` (K, any shape, traced or not).

        The measured density is linear in temperature and is extrapolated below the melting point.
        """
        density = self.liquid_density - self.density_slope * (temperature - self.melting_point)
        return self.mass * DALTON_PER_BOHR3_IN_G_PER_CM3 / density


@dataclass(frozen=True)
class MeasuredVolume:
    """One measured mean atomic volume: fraction of the second element, bohr^3 per atom, K, and where it is from."""

    fraction: float
    volume: float
    temperature: float
    source: str


def _rows(name: str) -> list[dict[str, str]]:
    text = importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


@functools.cache
def known_elements() -> dict[str, Element]:
    """All tabulated elements by symbol."""
    texts = ("symbol", "name", "density_source", "solid_rs_source")
    elements = {}
    for row in _rows("table.csv"):
        values: dict[str, Any] = {key: text if key in texts else float(text) for key, text in row.items()}
        elements[row["symbol"]] = Element(**(values | {"valence": int(row["valence"])}))
    return elements


def lookup(symbol: str) -> Element:
    """The element called `symbol`; raises `InputError` that names the known ones otherwise."""
    elements = known_elements()
    if symbol not in elements:
        raise InputError(f"no element {symbol!r} in the table: it knows {', '.join(sorted(elements))}")
    return elements[symbol]


@functools.cache
def measured_volumes(first: str, second: str) -> tuple[MeasuredVolume, ...]:
    """Measured volumes of the liquid alloy first(1-x)second(x), by rising x; empty where none is tabulated."""
    found = []
    for row in _rows("volumes.csv"):
        fraction = float(row["fraction"])
        if (row["first"], row["second"]) == (first, second):
            pass
        elif (row["second"], row["first"]) == (first, second):
            fraction = 1.0 - fraction
        else:
            continue
        found.append(MeasuredVolume(fraction, float(row["volume"]), float(row["temperature"]), row["source"]))
    return tuple(sorted(found, key=lambda measured: measured.fraction))
