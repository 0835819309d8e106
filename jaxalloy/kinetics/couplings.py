"""From an alloy and its interactions to the quantities of EM's kinetics: W(q), g(q), Delta(q), excitation energy.

A model of ours: EM leave the bridge open. What is physics: the sign and the wave vector of W(q), the relative size of
Delta(q) at different q and compositions. What is a scale: these are electronic energies, 1 Ry/hbar = 2.07e16 per
second, and annealing takes minutes to hours, so gamma, Gamma and t_sigma remain rates to be fitted; neither the order
alpha nor the bare energy A follows from the alloy alone.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Bool, Float, Scalar, ScalarLike
from jaxalloy.alloy import Alloy
from jaxalloy.constants import MASS_UNITS_PER_DALTON
from jaxalloy.electrons.interactions import Interactions
from jaxalloy.electrons.screening import lindhard
from jaxalloy.kinetics.equations import as_real
from jaxalloy.numerics.checks import InputError, is_traced, require, require_positive
from jaxalloy.reference.mixture import HardSphereYukawa

PACKING = 0.45
"""Of the hard spheres that stand in for a liquid that is not given: near freezing."""
REACH = 8.0
"""Distance, in diameters, beyond which g_NN = 1 is taken."""


class Couplings(eqx.Module):
    """Energies of concentration waves and their coupling to the electrons, at wave vectors q.

    q: 1/bohr, (q,). ordering_energy: W(q), Ry; its minimum is the wave vector of the ordering. form_difference:
    g(q) = w_A(q) - w_B(q), screened, Ry. coupling: Delta(q), Ry, for an inversion counted per atom. softest: index
    of the lowest W(q).
    """

    concentration: Scalar
    q: Float[Array, "q"]
    ordering_energy: Float[Array, "q"]
    form_difference: Float[Array, "q"]
    coupling: Float[Array, "q"]

    @property
    def softest(self) -> Array:
        """Index of the wave vector of the lowest W(q), where the ordering sets in."""
        return jnp.argmin(self.ordering_energy)

    def excitation_energy(self, bare_energy: ScalarLike) -> Float[Array, "q"]:
        """omega(q) = sqrt(A^2 + 2 A M(q)), M = c(1-c) W(q)/4 (EM Eq. 2); zero where unstable. bare_energy: A, Ry."""
        c = self.concentration
        squared = as_real(bare_energy) ** 2 + 0.5 * as_real(bare_energy) * c * (1.0 - c) * self.ordering_energy
        return jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1.0)), 0.0)

    def stable(self, bare_energy: ScalarLike) -> Bool[Array, "q"]:
        """Whether the wave q has a real energy at the bare energy A (Ry)."""
        c = self.concentration
        return as_real(bare_energy) + 0.5 * c * (1.0 - c) * self.ordering_energy > 0


def couplings(
    alloy: Alloy,
    interactions: Interactions,
    liquid: HardSphereYukawa | None = None,
    *,
    order: ScalarLike = 1.0,
    form_difference: Float[Array, "q"] | None = None,
) -> Couplings:
    """W(q), g(q) and Delta(q) of an alloy at the wave vectors of its interactions up to 3 k_F.

    V(R) = Phi_CC/(c_A c_B),  W(q) = 4 pi n int V(R) g_NN(R) R^2 sin(qR)/(qR) dR
    g(q) = [rho_A(q) - rho_B(q)]/(Omega chi_0(q)),  Delta(q) = 1/2 sqrt(c(1-c) |alpha|) |g(q)|

    liquid: the reference liquid, `state.liquid` of a minimised bound; None takes hard spheres of packing 0.45.
    order: |alpha|, the short-range order. form_difference: g at these q, for potentials that know no screening
    charge (tables). W is split into the transform of V, known exactly, and that of V (g_NN - 1), which decays.
    Source: physics.md 5.4 (EM Eqs. 4, 6, 7). Raises `InputError` without a screening charge.
    """
    require("order", order, lambda a: np.isfinite(a) & (np.asarray(a) > 0), "|alpha| must be positive")
    if liquid is None:
        sigma = jnp.cbrt(6.0 * PACKING * alloy.volume / jnp.pi)
        liquid = HardSphereYukawa(alloy.concentration, PACKING, sigma, 0.0, 1.0, alloy.temperature)
    keep = _rising_up_to(interactions.q, 3.0 * alloy.fermi_wavenumber)
    q = interactions.q[keep]
    c = alloy.concentration
    difference = form_difference
    if difference is None:
        difference = screened_difference(interactions, alloy.fermi_wavenumber)[keep]
    delta = 0.5 * jnp.sqrt(c * (1.0 - c) * as_real(order)) * jnp.abs(difference)
    return Couplings(c, q, _ordering_energy(interactions, liquid, keep), difference, delta)


def screened_difference(interactions: Interactions, fermi_wavenumber: ScalarLike) -> Float[Array, "q"]:
    """g(q) = w_A - w_B of the screened form factors at `interactions.q`, Ry, from rho_i(q) = Omega chi_0(q) w_i(q).

    For a local pseudopotential exact; for a nonlocal one its average over the Fermi sphere. The response is that of
    free electrons, so a finite mean free path in the potential enters g as well.
    """
    charge = interactions.screening_charge
    if not is_traced(charge) and not np.any(np.asarray(charge)):
        raise InputError(f"{interactions.potential} knows no screening charge: give form_difference= (g(q), Ry)")
    bare = lindhard(interactions.q, fermi_wavenumber)
    return (charge[0] - charge[1]) / (interactions.volume * bare)


def _rising_up_to(q: Array, largest: Array) -> Array:
    """Indices that put q in rising order, up to `largest` where the numbers are known."""
    rising = jnp.argsort(q)
    return rising if is_traced((q, largest)) else rising[: int(jnp.sum(q <= largest))]


def _ordering_energy(interactions: Interactions, liquid: HardSphereYukawa, keep: Array) -> Float[Array, "q"]:
    """W at the wave vectors `keep`."""
    q = interactions.q[keep]
    pair = interactions.concentration * (1.0 - interactions.concentration)
    z_a, z_b = interactions.effective_valences
    whole = 2.0 * interactions.volume * interactions.characteristics_cc()[keep] / pair
    whole = whole + 8.0 * jnp.pi * (z_a - z_b) ** 2 / q**2
    nodes, weights = np.polynomial.legendre.leggauss(16)
    sigma = liquid.sigma
    core = jnp.linspace(0.0, 1.0, 9)
    shells = jnp.linspace(1.0, REACH, 113)
    edges = sigma * jnp.concatenate([core[:-1], shells])
    width = jnp.diff(edges)
    R = (edges[:-1, None] + 0.5 * width[:, None] * (nodes[None, :] + 1.0)).ravel()
    measure = (0.5 * width[:, None] * weights[None, :]).ravel()
    energy = interactions.bhatia_thornton(R).CC / pair
    hole = jnp.where(R < sigma, -1.0, liquid.pair_correlations(jnp.maximum(R, sigma)).g_NN - 1.0)
    kernel = jnp.sin(q[:, None] * R[None, :]) / q[:, None]
    correlated = 4.0 * jnp.pi * kernel @ (measure * R * energy * hole)
    return (whole + correlated) / interactions.volume


def bare_energy(
    alloy: Alloy, displacement: ScalarLike, order: ScalarLike, *, power: ScalarLike = 2.0
) -> Float[Array, ""]:
    """A = 1/{[c(1-c)]^power M R^2 |alpha|} of the mean atom, Ry (EM Eq. 3, corrected). displacement: R, bohr."""
    require_positive("displacement", displacement)
    c = alloy.concentration
    mass = MASS_UNITS_PER_DALTON * (alloy.concentrations @ alloy.masses)
    return 1.0 / ((c * (1.0 - c)) ** power * mass * as_real(displacement) ** 2 * as_real(order))
