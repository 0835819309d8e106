"""Dynamical concentration excitations of a cluster (EM Eqs. 1-5, corrected) and the displacement bound.

Rydberg atomic units: positions in bohr, energies in Ry, masses in units of 2 m_e (911.444 times the relative
atomic mass; `constants.MASS_UNITS_PER_DALTON`).
"""

import pathlib
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, ArrayLike, Bool, Float, Real, ScalarLike
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.kinetics.equations import as_real
from jaxalloy.numerics.checks import InputError, is_traced, require, require_finite, require_positive

PairPotential = Callable[[Float[Array, ""]], Float[Array, ""]]
"""Pair energy u(r) in Ry of a distance in bohr, differentiable twice by JAX."""


class ExcitationSpectrum(eqx.Module):
    """Excitations of one cluster.

    squared: E_n^2, ascending, Ry^2, (n,); negative where the configuration is unstable. energies: E_n, Ry,
    (n,); zero where unstable. modes: eigenvectors as columns, (n, n). stable: no negative E_n^2.
    site_energies: A_I, (n,).
    """

    squared: Float[Array, "n"]
    energies: Float[Array, "n"]
    modes: Float[Array, "n n"]
    stable: Bool[Array, ""]
    site_energies: Float[Array, "n"]

    @property
    def stable_up_to(self) -> Float[Array, ""]:
        """The factor by which all displacements may grow before a mode turns unstable; infinite where none does.

        A falls as the square of the displacements and M grows as it, so that A + 2M, scaled by A, has the
        eigenvalues 1 + f^4 m with m those of A^-1 (K - A^2) A^-1, K the matrix of the E_n^2.
        """
        matrix = (self.modes * self.squared[None, :]) @ self.modes.T
        scaled = matrix / (self.site_energies[:, None] * self.site_energies[None, :])
        softest = jnp.min(jnp.linalg.eigvalsh(scaled - jnp.eye(self.squared.shape[0])))
        bounded = softest < -1e-14
        return jnp.where(bounded, jnp.where(bounded, -softest, 1.0) ** -0.25, jnp.inf)


def force_constants(positions: Float[Array, "n 3"], potential: PairPotential) -> Float[Array, "n n 3 3"]:
    """Phi_IJ = -[u'' r r^T + (u'/r)(1 - r r^T)], r the unit vector I to J; zero for I = J. Ry/bohr^2."""
    apart = positions[:, None, :] - positions[None, :, :]
    same = jnp.eye(positions.shape[0], dtype=bool)
    squared = jnp.sum(apart**2, -1)
    distance = jnp.sqrt(jnp.where(same, 1.0, squared))
    unit = apart / distance[..., None]
    slope = jax.vmap(jax.vmap(jax.grad(potential)))(distance)
    curvature = jax.vmap(jax.vmap(jax.grad(jax.grad(potential))))(distance)
    along = unit[..., :, None] * unit[..., None, :]
    across = jnp.eye(3, dtype=positions.dtype)[None, None] - along
    phi = -(curvature[..., None, None] * along + (slope / distance)[..., None, None] * across)
    return jnp.where(same[..., None, None], 0.0, phi)


def dce_spectrum(
    positions: Real[ArrayLike, "n 3"],
    masses: Real[ArrayLike, "n"],
    displacements: Real[ArrayLike, "n 3"],
    order_parameters: Real[ArrayLike, "n"],
    concentration: ScalarLike,
    potential: PairPotential,
    *,
    power: ScalarLike = 2.0,
) -> ExcitationSpectrum:
    """Energies E_n of the dynamical concentration excitations of a cluster (EM Eqs. 1-4, corrected).

    E_n^2 = eig[A^{1/2} (A + 2M) A^{1/2}],  A_I = 1/{[c(1-c)]^power M_I R_I^2 |alpha_I|},
    M_IJ = c(1-c)/4 sqrt|alpha_I alpha_J| R_I . Phi_IJ . R_J  (I != J)

    positions: bohr, (n, 3). masses: units of 2 m_e, (n,). displacements: R_I, the shift of ion I into its
    suitable place, bohr, (n, 3). order_parameters: alpha_I, (n,). concentration: c. potential: u(r), Ry of
    bohr. power: of c(1-c) in A; 2 as EM Eq. 3 has it, not confirmed by a second source. A negative E_n^2
    (`stable` false) is an instability: the displacements exceed `displacement_bound`. Raises `InputError` for
    coinciding atoms.
    """
    positions, masses = jnp.asarray(positions), jnp.asarray(masses)
    displacements, order = jnp.asarray(displacements), jnp.abs(jnp.asarray(order_parameters))
    spread = _concentration_spread(concentration)
    _require_cluster(positions, masses, order)
    size = jnp.sum(displacements**2, -1)
    require_positive("|displacements|^2", size, "every ion needs a displacement R_I that is not zero")
    site = 1.0 / (spread**power * masses * size * order)
    bent = jnp.einsum("ia,ijab,jb->ij", displacements, force_constants(positions, potential), displacements)
    coupling = 0.25 * spread * jnp.sqrt(order[:, None] * order[None, :]) * bent
    root = jnp.sqrt(site)
    squared, modes = jnp.linalg.eigh(root[:, None] * (jnp.diag(site) + 2.0 * coupling) * root[None, :])
    real = squared > 0
    energies = jnp.where(real, jnp.sqrt(jnp.where(real, squared, 1.0)), 0.0)
    return ExcitationSpectrum(squared, energies, modes, jnp.all(squared >= 0), site)


def lattice_energy(
    site_energy: ScalarLike, mixing: Real[ArrayLike, "*k"], *, squared: bool = False
) -> Float[Array, "*k"]:
    """E(k) = sqrt(A^2 + 2 A M(k)) on a lattice (EM Eq. 2 without its sum over I); zero where unstable.

    site_energy: A, (). mixing: M(k), any shape. squared: give E^2, which shows the instability by its sign.
    """
    energy = jnp.asarray(site_energy) ** 2 + 2.0 * jnp.asarray(site_energy) * mixing
    if squared:
        return energy
    return jnp.where(energy > 0, jnp.sqrt(jnp.where(energy > 0, energy, 1.0)), 0.0)


def displacement_bound(
    positions: Real[ArrayLike, "n 3"],
    masses: Real[ArrayLike, "n"],
    directions: Real[ArrayLike, "n 3"],
    order_parameters: Real[ArrayLike, "n"],
    concentration: ScalarLike,
    potential: PairPotential,
    wave_vector: Real[ArrayLike, "3"],
    *,
    power: ScalarLike = 2.0,
) -> Float[Array, "n"]:
    """Largest |R_I| with undamped excitations of the superstructure vector k_s (EM Eq. 5, corrected), bohr.

    R^4 <= 2/(c^3 (1-c)^3 M |alpha| (-sum_J Phi_IJ |alpha_J| cos k_s.R_IJ)), Phi taken along the unit
    `directions`; infinite where the sum is not negative: no bound. With power: c^{power+1} (1-c)^{power+1}.
    """
    positions, masses = jnp.asarray(positions), jnp.asarray(masses)
    order = jnp.abs(jnp.asarray(order_parameters))
    spread = _concentration_spread(concentration)
    _require_cluster(positions, masses, order)
    directions = jnp.asarray(directions)
    length = jnp.linalg.norm(directions, axis=-1, keepdims=True)
    require_positive("|directions|", length, "a direction cannot be the zero vector")
    unit = directions / length
    bent = jnp.einsum("ia,ijab,jb->ij", unit, force_constants(positions, potential), unit)
    along = positions @ jnp.asarray(wave_vector)
    phase = jnp.cos(along[:, None] - along[None, :])
    pull = -jnp.sum(bent * order[None, :] * phase, -1)
    bounded = pull > 0
    fourth = 2.0 / (spread ** (power + 1.0) * masses * order * jnp.where(bounded, pull, 1.0))
    return jnp.where(bounded, fourth**0.25, jnp.inf)


def read_xyz(path: str | pathlib.Path) -> tuple[list[str], Float[Array, "n 3"]]:
    """Symbols and positions (bohr) of the first frame of an XYZ file in Angstrom.

    Raises `InputError` naming the line that cannot be read.
    """
    lines = pathlib.Path(path).read_text().splitlines()
    try:
        count = int(lines[0].split()[0])
    except (IndexError, ValueError):
        raise InputError(f"{path}, line 1: an XYZ file starts with the number of atoms") from None
    body = lines[2 : 2 + count]
    if count < 1 or len(body) < count:
        raise InputError(f"{path}: {count} atoms announced, {len(body)} found")
    symbols, rows = [], []
    for number, line in enumerate(body, 3):
        try:
            symbol, x, y, z = line.split()[:4]
            rows.append([float(x), float(y), float(z)])
        except ValueError:
            raise InputError(f"{path}, line {number}: expected 'symbol x y z', found {line!r}") from None
        symbols.append(symbol)
    return symbols, jnp.asarray(np.array(rows) / BOHR_IN_ANGSTROM)


def _concentration_spread(concentration: ScalarLike) -> Array:
    c = as_real(concentration)
    require("concentration", c, lambda c: (c > 0) & (c < 1), "c must lie between 0 and 1")
    return c * (1.0 - c)


def _require_cluster(positions: Array, masses: Array, order: Array) -> None:
    require_finite("positions", positions)
    require_positive("masses", masses, "masses must be positive (units of 2 m_e: 911.444 times A_r)")
    require_positive("|order_parameters|", order, "an ion without order takes no part; leave it out of the cluster")
    if is_traced(positions):
        return
    xyz = np.asarray(positions)
    apart = np.linalg.norm(xyz[:, None] - xyz[None, :], axis=-1) + np.eye(len(xyz))
    if (apart < 1e-6).any():
        i, j = np.argwhere(apart < 1e-6)[0]
        raise InputError(f"positions: atoms {i} and {j} coincide; remove one")
