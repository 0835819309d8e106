"""Pair potentials from a table, in place of a pseudopotential."""

import pathlib
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from interpax import Interpolator1D

from jaxalloy._typing import Array, Float
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOHR_IN_ANGSTROM, RYDBERG_IN_EV
from jaxalloy.electrons.interactions import Interactions, wavenumber_grid
from jaxalloy.numerics.checks import InputError, require

_LENGTHS = {"bohr": 1.0, "angstrom": 1 / BOHR_IN_ANGSTROM, "nm": 10 / BOHR_IN_ANGSTROM}
_ENERGIES = {"ry": 1.0, "mry": 1e-3, "hartree": 2.0, "ev": 1 / RYDBERG_IN_EV, "mev": 1e-3 / RYDBERG_IN_EV}


class TabulatedInteractions(Interactions):
    """Interactions of tabulated pair potentials: Phi_ij(R) is the table, F_ij(q) = Phi_ij(q)/(2 Omega), Z* = 0.

    Only the pair energy is known: the energies are those of the pair sum, without electron gas and self-terms, and
    there is no screening charge.
    """

    table: Interpolator1D

    def pair_potentials(self, R: Float[Array, "*shape"]) -> Float[Array, "3 *shape"]:
        """Phi_AA, Phi_AB, Phi_BB at distances R (bohr), in Ry; zero beyond the table, a + b R^2 below it."""
        return jnp.moveaxis(_continued(self.table, R), -1, 0)


def _continued(table: Interpolator1D, R: Float[Array, "*shape"]) -> Float[Array, "*shape 3"]:
    """The table inside its range, zero beyond, and smoothly joined a + b R^2 below, where correlations vanish."""
    first, last = table.x[0], table.x[-1]
    with jax.numpy_rank_promotion("allow"):  # which interpax relies on
        value, slope = table(first), table(first, dx=1)
        inside = table(jnp.clip(R, first, last))
    rise = (R**2 - first**2) / (2 * first)
    core = jnp.broadcast_to(value, inside.shape) + rise[..., None] * jnp.broadcast_to(slope, inside.shape)
    return jnp.where((first > R)[..., None], core, jnp.where((last >= R)[..., None], inside, 0.0))


class TabulatedPotential(eqx.Module):
    """Pair potentials of one alloy given as numbers.

    R: distances, bohr, rising, shape (r,). phi_AA, phi_AB, phi_BB: Ry, shape (r,). The table must begin inside the
    hard core of the liquid, and end where the potentials have died out: they are zero beyond it.
    Raises `InputError` for too few, unsorted or non-finite numbers.
    """

    R: Float[Array, " r"] = eqx.field(converter=jnp.asarray)
    phi_AA: Float[Array, " r"] = eqx.field(converter=jnp.asarray)
    phi_AB: Float[Array, " r"] = eqx.field(converter=jnp.asarray)
    phi_BB: Float[Array, " r"] = eqx.field(converter=jnp.asarray)

    def __check_init__(self):
        if self.R.shape[0] < 8:
            raise InputError(f"a table of {self.R.shape[0]} distances: at least 8 are needed")
        for name, column in [("R", self.R), ("phi_AA", self.phi_AA), ("phi_AB", self.phi_AB), ("phi_BB", self.phi_BB)]:
            require(
                f"a number in column {name} of the table", column, np.isfinite, "the table must hold finite numbers"
            )
        require("R", self.R, lambda r: r > 0, "distances must be positive")
        require("step of R", jnp.diff(self.R), lambda step: step > 0, "distances must rise from row to row")

    @classmethod
    def read(cls, path: str | pathlib.Path) -> "TabulatedPotential":
        """Read a text file of four columns R, phi_AA, phi_AB, phi_BB with a header naming the units.

        The header is a comment such as `# units: angstrom eV`; lengths bohr, angstrom, nm; energies Ry, mRy, hartree,
        eV, meV. Raises `InputError` naming file, line and remedy.
        """
        file = pathlib.Path(path)
        if not file.is_file():
            raise InputError(f"{file}: not a file; give the path of a table of pair potentials")
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            raise InputError(f"{file}: not a text file") from None
        header = " ".join(line for line in lines if line.lstrip().startswith("#"))
        units = re.search(r"units?\s*[:=]\s*(\w+)[\s,]+(\w+)", header, flags=re.IGNORECASE)
        if not units:
            raise InputError(f"{file}: no units header; begin it with a line like '# units: bohr Ry'")
        length, energy = units.group(1).lower(), units.group(2).lower()
        if length not in _LENGTHS or energy not in _ENERGIES:
            known = f"{', '.join(_LENGTHS)} and {', '.join(_ENERGIES)}"
            raise InputError(f"{file}: units {units.group(1)} {units.group(2)}; known are {known}")
        rows = [_numbers(file, number, line) for number, line in enumerate(lines, 1) if _is_data(line)]
        if not rows:
            raise InputError(f"{file}: no data rows; write R, phi_AA, phi_AB, phi_BB in four columns")
        table = np.asarray(rows)
        R, potentials = table[:, 0] * _LENGTHS[length], table[:, 1:].T * _ENERGIES[energy]
        return cls(jnp.asarray(R), *map(jnp.asarray, potentials))

    def interactions(self, alloy: Alloy, q_max: float = 40.0, nodes: int = 640) -> TabulatedInteractions:
        """The interactions of `alloy`; its composition and volume must be those the table was made for.

        Phi(q) is the transform of the cubic spline through the table. Below its first distance, where the
        correlations vanish, the potentials go on as a + b R^2, smoothly joined.
        """
        phi = jnp.stack([self.phi_AA, self.phi_AB, self.phi_BB], axis=-1)
        with jax.numpy_rank_promotion("allow"):
            table = Interpolator1D(self.R, phi, method="cubic2", extrap=True)
        q, weights = wavenumber_grid(alloy.fermi_wavenumber, q_max, nodes)
        unit, gauss = np.polynomial.legendre.leggauss(24)
        core = self.R[0] * np.linspace(0, 1, 17)[:-1]  # panels short against the shortest wavelength, 2 pi/q_max
        edges = jnp.concatenate([core, self.R])
        R = (edges[:-1, None] + jnp.diff(edges)[:, None] * (unit[None, :] + 1) / 2).ravel()
        measure = (jnp.diff(edges)[:, None] * gauss[None, :] / 2).ravel()
        values = _continued(table, R)
        kernel = jnp.sin(q[:, None] * R[None, :]) * (measure * R)[None, :]
        transform = 4 * jnp.pi / q[:, None] * (kernel @ values)
        mean = 4 * jnp.pi * (measure * R**2) @ values
        c_a, c_b = alloy.concentrations
        bare = TabulatedInteractions(
            concentration=alloy.concentration,
            volume=alloy.volume,
            q=q,
            weights=weights,
            characteristics=transform.T / (2 * alloy.volume),
            effective_valences=jnp.zeros_like(alloy.valences),
            volume_energy={},
            screening_charge=jnp.zeros_like(transform.T[:2]),
            potential="tabulated pair potentials",
            table=table,
        )
        # the bound counts S_ij, the pair sum g_ij: take the self-terms off and put the mean back
        mean_nn = c_a**2 * mean[0] + 2 * c_a * c_b * mean[1] + c_b**2 * mean[2]
        pair_sum = {"self_term": -bare.self_energy(), "mean_potential": mean_nn / (2 * alloy.volume)}
        return eqx.tree_at(lambda i: i.volume_energy, bare, pair_sum)


def _is_data(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _numbers(file: pathlib.Path, number: int, line: str) -> list[float]:
    """The four numbers of a row."""
    fields = re.split(r"[\s,;]+", line.strip())
    if len(fields) != 4:
        raise InputError(f"{file}, line {number}: {len(fields)} columns; four are needed: R, phi_AA, phi_AB, phi_BB")
    try:
        return [float(field) for field in fields]
    except ValueError:
        raise InputError(f"{file}, line {number}: {line.strip()!r} holds text; numbers are needed") from None
