"""Free energy as a function of volume: pressure, the volume that minimises it, bulk modulus.

P = -dF/dOmega at fixed temperature, through the minimum of the bound at every volume.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Bool, Float, Scalar, ScalarLike
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.electrons.interactions import Potential
from jaxalloy.numerics.checks import InputError, NoResultError, is_traced
from jaxalloy.reference import hard_sphere
from jaxalloy.thermodynamics.variational import Constraint, HardSpheres, Unconstrained, minimise


def pressure(alloy: Alloy, potential: Potential, constraint: Constraint | None = None) -> Scalar:
    """P = -dF/dOmega of the minimised bound at the alloy's volume and temperature, Ry/bohr^3, shape ().

    The total derivative: the interactions and the reference liquid follow the volume. NaN where there is no minimum.
    constraint: `HardSpheres()` for a pure metal and `Unconstrained()` for an alloy by default.
    Raises `InputError` where the potential does not cover the alloy. Source: PHH Eqs. 19-22, (V1)-(V6) of physics.md.
    """
    return _pressure(alloy.without_texts(), potential, potential.prepare(alloy), _default(alloy, constraint))


@eqx.filter_jit
def _pressure(alloy, potential, prepared, constraint) -> Scalar:
    _, slope = jax.jvp(
        lambda volume: _free_energy(alloy, potential, prepared, constraint, volume),
        (alloy.volume,),
        (jnp.ones_like(alloy.volume),),
    )
    return -slope


class EquationOfState(eqx.Module):
    """F(Omega) of one alloy at one temperature, as a Chebyshev series in ln Omega over the volumes sampled.

    volumes: sampled, bohr^3 per atom, rising. free_energies: Ry per atom, NaN where the bound has no minimum.
    series: Chebyshev coefficients of F, Ry. temperature: K.
    """

    volumes: Float[Array, " volume"]
    free_energies: Float[Array, " volume"]
    series: Float[Array, " volume"]
    temperature: Scalar

    def free_energy(self, volume: ScalarLike) -> Scalar:
        """F at a volume (bohr^3 per atom) within those sampled, Ry per atom."""
        return _series_at(self.series, self._reduced(jnp.asarray(volume)))

    def pressure(self, volume: ScalarLike) -> Scalar:
        """-dF/dOmega at a volume (bohr^3 per atom), Ry/bohr^3."""
        return -jax.grad(self.free_energy)(1.0 * jnp.asarray(volume))

    def bulk_modulus(self, volume: ScalarLike) -> Scalar:
        """Omega d^2F/dOmega^2 at a volume (bohr^3 per atom), Ry/bohr^3: isothermal."""
        volume = 1.0 * jnp.asarray(volume)
        return volume * jax.grad(jax.grad(self.free_energy))(volume)

    def equilibrium_volume(self) -> Scalar:
        """The volume at which F has its lowest interior minimum, bohr^3 per atom; NaN where it has none."""
        logs = jnp.linspace(jnp.log(self.volumes[0]), jnp.log(self.volumes[-1]), 401)
        values = jax.vmap(self.free_energy)(jnp.exp(logs))
        inside = (values[1:-1] < values[:-2]) & (values[1:-1] <= values[2:])
        index = 1 + jnp.argmin(jnp.where(inside, values[1:-1], jnp.inf))
        left, here, right = values[index - 1], values[index], values[index + 1]
        shift = 0.5 * (left - right) / (left - 2 * here + right)
        found = jnp.exp(logs[index] + shift * (logs[1] - logs[0]))
        return jnp.where(jnp.any(inside), found, jnp.nan)

    @property
    def converged(self) -> Bool[Array, ""]:
        """Whether the bound has a minimum at every volume sampled."""
        return jnp.all(jnp.isfinite(self.free_energies))

    def require_minimum(self) -> "EquationOfState":
        """Return itself; raises `NoResultError` where F has no interior minimum over the volumes sampled."""
        if is_traced(self.series) or bool(jnp.isfinite(self.equilibrium_volume())):
            return self
        low, high = (float(self.volumes[i]) for i in (0, -1))
        raise NoResultError(
            f"the volume that minimises F: none between {low:.1f} and {high:.1f} bohr^3; sample other volumes, or use "
            'OptimisedOPW(hole_norm="kept") (the other norm has none at all)'
        )

    def _reduced(self, volume: Scalar) -> Scalar:
        low, high = jnp.log(self.volumes[0]), jnp.log(self.volumes[-1])
        edge = np.cos(np.pi / 2 / len(self.volumes))  # the outermost Chebyshev node
        return edge * (2 * jnp.log(volume) - low - high) / (high - low)


def equation_of_state(
    alloy: Alloy,
    potential: Potential,
    constraint: Constraint | None = None,
    extent: tuple[float, float] = (0.7, 1.25),
    nodes: int = 10,
) -> EquationOfState:
    """F of the minimised bound over volumes around the alloy's own, at its temperature and composition.

    constraint: as in `pressure`. extent: smallest and largest volume, in units of alloy.volume. nodes: volumes sampled.
    Ten nodes give F to 1e-6 Ry. For energies and pressures `OptimisedOPW(hole_norm="kept")` is the consistent choice.
    Raises `InputError` for an extent that is not two rising, positive numbers, or where the potential does not cover
    the volumes. Source: PHH Eqs. 19-22.
    """
    if not 0 < extent[0] < extent[1]:
        raise InputError(f"extent = {extent}: give the smallest and the largest volume, in units of the alloy's own")
    if nodes < 4:
        raise InputError(f"nodes = {nodes}: at least 4 volumes are needed")
    for share in extent:
        prepared = potential.prepare(alloy.at(volume=share * alloy.volume))
    points = -np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
    middle, half = np.log(extent[1] * extent[0]) / 2, np.log(extent[1] / extent[0]) / 2
    volumes = alloy.volume * np.exp(middle + half * points)
    values = _sampled(alloy.without_texts(), potential, prepared, _default(alloy, constraint), volumes)
    to_series = np.linalg.inv(np.polynomial.chebyshev.chebvander(points, nodes - 1))
    return EquationOfState(volumes, values, jnp.asarray(to_series) @ values, alloy.temperature)


@eqx.filter_jit
def _sampled(alloy, potential, prepared, constraint, volumes) -> Float[Array, " volume"]:
    return jax.lax.map(lambda volume: _free_energy(alloy, potential, prepared, constraint, volume), volumes)


def _free_energy(alloy, potential, prepared, constraint, volume) -> Scalar:
    there = alloy.at(volume=volume).without_texts()
    state = minimise(there, potential.interactions(there, prepared), constraint)
    return jnp.where(state.converged, state.free_energy.total, jnp.nan)


def _series_at(series: Float[Array, " term"], y: Scalar) -> Scalar:
    above, here = jnp.zeros_like(y), series[-1]
    for coefficient in series[-2:0:-1]:
        above, here = here, 2 * y * here - above + coefficient
    return y * here - above + series[0]


def _default(alloy: Alloy, constraint: Constraint | None) -> Constraint:
    if constraint is not None:
        return constraint
    return HardSpheres() if alloy.symbols[0] == alloy.symbols[1] else Unconstrained()


def compressibility_bulk_modulus(eta: ScalarLike, volume: ScalarLike, temperature: ScalarLike) -> Scalar:
    """k_B T/(Omega S_NN(0)), Ry/bohr^3: the bulk modulus that the reference liquid's S_NN(q -> 0) stands for.

    eta: packing fraction. volume: bohr^3 per atom. temperature: K. Hard spheres alone: the attraction of the electron
    gas, which the equation of state has, is missing, so the two agree in order of magnitude only.
    Source: compressibility theorem; Percus-Yevick S(0).
    """
    eta = jnp.asarray(eta)
    return BOLTZMANN_RY_PER_K * temperature / (volume * hard_sphere.structure_factor(jnp.zeros_like(eta), eta))
