"""The hard-sphere-Yukawa mixture: the reference liquid in physical units.

Equal diameters and charge neutrality decouple the number-density (NN) and the concentration (CC) channel; the
cross term NC vanishes.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from jaxalloy._typing import Array, ArrayLike, Bool, Float, Real, Scalar, ScalarLike
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.numerics.checks import InputError, is_traced, require, require_finite, require_positive
from jaxalloy.numerics.programs import program
from jaxalloy.reference import hard_sphere, yukawa
from jaxalloy.reference.shells import DEFAULT_REACH


class PartialStructureFactors(NamedTuple):
    """Structure factors S_AA, S_AB, S_BB of the Ashcroft-Langreth convention: S_ij -> delta_ij at large q."""

    S_AA: Float[Array, "*q"]
    S_AB: Float[Array, "*q"]
    S_BB: Float[Array, "*q"]


class PairCorrelations(NamedTuple):
    """Pair correlations at given distances: g_AA, g_AB, g_BB and the channels g_NN, h_CC they are made of."""

    g_AA: Float[Array, "*r"]
    g_AB: Float[Array, "*r"]
    g_BB: Float[Array, "*r"]
    g_NN: Float[Array, "*r"]
    h_CC: Float[Array, "*r"]


class ContactValues(NamedTuple):
    """Pair correlations at R = sigma+; a negative one, a failure of the closure, is reported as it is."""

    g_AA: Scalar
    g_AB: Scalar
    g_BB: Scalar


class HardSphereYukawa(eqx.Module):
    """Mixture of equal hard spheres that order (or segregate) by a Yukawa potential.

    Phi_CC(R) = -epsilon exp(-kappa (R - sigma)) sigma/R for R > sigma; epsilon < 0 favours unlike neighbours.

    Structure in the mean-spherical approximation. For many states build the mixture inside `jax.vmap`.

    concentration: c_B, in (0, 1); eta: packing fraction, in (0, 0.6]; sigma: hard-sphere diameter, bohr;
    epsilon: strength at contact, Ry, containing c_A c_B; kappa: inverse range, 1/bohr; temperature: K; all
    shape ().
    Raises InputError for known values outside these ranges or beyond the spinodal; for traced ones `stable`
    tells.
    Source: PHH Eqs. 8-18, corrected (see `jaxalloy.reference.yukawa`).

    >>> liquid = HardSphereYukawa(0.2, 0.42, 4.93, -0.0302, 1.8, 1000.0)
    >>> round(float(liquid.hard_sphere_entropy), 2), round(float(liquid.ordering_entropy), 2)
    (-3.42, -1.84)
    >>> float(liquid.structure_factor_cc(0.0)) < 0.2 * 0.8
    True
    """

    concentration: Scalar
    eta: Scalar
    sigma: Scalar
    epsilon: Scalar
    kappa: Scalar
    temperature: Scalar

    def __init__(
        self,
        concentration: ScalarLike,
        eta: ScalarLike,
        sigma: ScalarLike,
        epsilon: ScalarLike,
        kappa: ScalarLike,
        temperature: ScalarLike,
    ):
        require("concentration", concentration, lambda c: (c > 0) & (c < 1), "give c_B between 0 and 1")
        require("eta", eta, lambda e: (e > 0) & (e <= 0.6), "a liquid has a packing fraction in (0, 0.6]")
        require_positive("sigma", sigma, "the hard-sphere diameter is a positive number of bohr")
        require_finite("epsilon", epsilon, "the strength of the ordering potential is a finite number of Ry")
        require_positive(
            "kappa", kappa, "the inverse range is positive, in 1/bohr; small values reach the Coulomb limit"
        )
        require_positive("temperature", temperature, "give a positive number of kelvin")
        values = (concentration, eta, sigma, epsilon, kappa, temperature)
        dtype = jnp.result_type(float, *values)
        self.concentration, self.eta, self.sigma, self.epsilon, self.kappa, self.temperature = (
            jnp.asarray(value, dtype=dtype) for value in values
        )
        if not is_traced(values) and not bool(self.stable):
            raise InputError(
                f"epsilon = {float(self.epsilon):.6g} Ry: the mixture has segregated (beyond the spinodal); "
                f"take epsilon below {float(self.spinodal_epsilon):.6g} Ry or raise the temperature"
            )

    @property
    def Z(self) -> Scalar:
        """Inverse range in units of the diameter, kappa sigma."""
        return self.kappa * self.sigma

    @property
    def beta_epsilon(self) -> Scalar:
        """Strength in units of the temperature, K = epsilon/k_B T."""
        return self.epsilon / (BOLTZMANN_RY_PER_K * self.temperature)

    @property
    def y(self) -> Scalar:
        """Root of the MSA quartic (PHH Eq. 10); NaN where not `stable`."""
        return yukawa.solve_order_parameter(self.eta, self.beta_epsilon, self.Z)[0]

    @property
    def stable(self) -> Bool[Array, ""]:
        """Whether the homogeneous liquid exists: false beyond the spinodal (epsilon > 0 only)."""
        return yukawa.solve_order_parameter(self.eta, self.beta_epsilon, self.Z)[1]

    @property
    def spinodal_epsilon(self) -> Scalar:
        """Largest epsilon of a homogeneous liquid at these eta, kappa, sigma, temperature, Ry."""
        limit = yukawa.coupling_from_y(self.eta, yukawa.spinodal_y(self.Z), self.Z)
        return limit * BOLTZMANN_RY_PER_K * self.temperature

    @property
    def volume(self) -> Scalar:
        """Mean atomic volume pi sigma^3/(6 eta), bohr^3."""
        return jnp.pi * self.sigma**3 / (6.0 * self.eta)

    @property
    def ordering_enthalpy(self) -> Scalar:
        """Enthalpy of ordering dH_ord = -omega epsilon/2, Ry per atom (PHH Eq. 15)."""
        return self.epsilon * yukawa.ordering_energy_ratio(self.y, self.Z)

    @property
    def ordering_entropy(self) -> Scalar:
        """Entropy of ordering dS_ord, k_B per atom (PHH Eqs. 16-18, corrected)."""
        return yukawa.ordering_entropy(self.eta, self.y, self.Z)

    @property
    def hard_sphere_entropy(self) -> Scalar:
        """Carnahan-Starling entropy over that of the ideal gas, k_B per atom."""
        return hard_sphere.excess_entropy(self.eta)

    @property
    def alpha_nn(self) -> Scalar:
        """Electrostatic sum (2/pi) int [S_NN - 1] dq, 1/bohr (PHH Eq. 24, corrected)."""
        return hard_sphere.alpha_nn(self.eta) / self.sigma

    @property
    def alpha_cc(self) -> Scalar:
        """Electrostatic sum (1/c_A c_B)(2/pi) int [S_CC - c_A c_B] dq, 1/bohr (PHH Eq. 25, corrected)."""
        return yukawa.alpha_cc(self.y, self.Z) / self.sigma

    @property
    def contact_cc(self) -> Scalar:
        """Total correlation h_CC at R = sigma+."""
        return yukawa.contact_value_cc(self.eta, self.y, self.Z)

    @property
    def contact_values(self) -> ContactValues:
        """Pair correlations g_AA, g_AB, g_BB at R = sigma+; a negative one is not clipped."""
        return _contact_values(self)

    def structure_factor_nn(self, q: Real[ArrayLike, "*q"]) -> Float[Array, "*q"]:
        """Number-density structure factor S_NN(q), 1 at large q; q: 1/bohr, any shape."""
        return hard_sphere.structure_factor(jnp.asarray(q) * self.sigma, self.eta)

    def structure_factor_cc(self, q: Real[ArrayLike, "*q"]) -> Float[Array, "*q"]:
        """Concentration structure factor S_CC(q), c_A c_B at large q (PHH Eq. 11); q: 1/bohr, any shape."""
        random = self.concentration * (1.0 - self.concentration)
        return random * yukawa.structure_factor_cc(jnp.asarray(q) * self.sigma, self.y, self.Z)

    def partial_structure_factors(self, q: Real[ArrayLike, "*q"]) -> PartialStructureFactors:
        """Ashcroft-Langreth structure factors S_ij(q), delta_ij at large q, those of PHH Eq. 20a.

        S_AA = c_A S_NN + S_CC/c_A,  S_BB = c_B S_NN + S_CC/c_B,  S_AB = sqrt(c_A c_B) (S_NN - S_CC/c_A c_B).

        q: 1/bohr, any shape.
        """
        c_B = self.concentration
        c_A = 1.0 - c_B
        nn, cc = self.structure_factor_nn(q), self.structure_factor_cc(q)
        cross = jnp.sqrt(c_A * c_B) * (nn - cc / (c_A * c_B))
        return PartialStructureFactors(c_A * nn + cc / c_A, cross, c_B * nn + cc / c_B)

    def pair_correlations(self, R: Real[ArrayLike, "*r"], reach: int = DEFAULT_REACH) -> PairCorrelations:
        """Pair correlations in real space, exact: zero (h_CC too) inside sigma, outer values at contact.

        g_AA = g_NN + (c_B/c_A) h_CC,  g_BB = g_NN + (c_A/c_B) h_CC,  g_AB = g_NN - h_CC.

        R: bohr, any shape; reach: largest R/sigma, an integer.
        Raises InputError where R is known and beyond `reach`; NaN where it is traced and beyond.
        """
        x = jnp.asarray(R) / self.sigma
        nn = hard_sphere.pair_correlation(x, self.eta, reach)
        cc = yukawa.total_correlation_cc(x, self.eta, self.y, self.Z, reach)
        return PairCorrelations(*self._partials(nn, cc), nn, cc)

    def _partials(
        self, nn: Float[Array, "*r"], cc: Float[Array, "*r"]
    ) -> tuple[Float[Array, "*r"], Float[Array, "*r"], Float[Array, "*r"]]:
        ratio = self.concentration / (1.0 - self.concentration)
        return nn + ratio * cc, nn - cc, nn + cc / ratio

    def ordering_potential(self, R: Real[ArrayLike, "*r"]) -> Float[Array, "*r"]:
        """Reference ordering potential Phi_CC(R), Ry: the Yukawa tail for R >= sigma, zero inside.

        -epsilon exp(-kappa (R - sigma)) sigma/R.

        R: bohr, any shape. Source: PHH Eq. 8b.
        """
        R = jnp.asarray(R)
        outer = jnp.where(self.sigma > R, self.sigma, R)
        tail = -self.epsilon * jnp.exp(-self.kappa * (outer - self.sigma)) * self.sigma / outer
        return jnp.where(self.sigma > R, 0.0, tail)


@program
def _contact_values(liquid: HardSphereYukawa) -> ContactValues:
    return ContactValues(*liquid._partials(hard_sphere.contact_value(liquid.eta), liquid.contact_cc))
