"""Effective interactions of a binary alloy: energy-wavenumber characteristics F_ij(q), pair potentials Phi_ij(R).

Phi_ij(R) = 2 Z*_i Z*_j/R + (Omega/pi^2) int F_ij(q) sin(qR)/(qR) q^2 dq
X_NN = c_A^2 X_AA + c_B^2 X_BB + 2 c_A c_B X_AB
X_CC = c_A c_B (X_AA + X_BB - 2 X_AB)
X_NC = 2 c_A c_B [c_A X_AA - c_B X_BB + (c_B - c_A) X_AB]
"""

import functools
from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar, ScalarLike
from jaxalloy.alloy import Alloy
from jaxalloy.electrons.gas import exchange_correlation_energy, kinetic_energy
from jaxalloy.numerics.checks import require_positive
from jaxalloy.numerics.programs import program


class BhatiaThornton(NamedTuple):
    """A pair function in number-concentration form: NN (density), NC (cross), CC (ordering), any shape."""

    NN: Float[Array, "..."]
    NC: Float[Array, "..."]
    CC: Float[Array, "..."]


def bhatia_thornton(pairs: Float[Array, "3 *shape"], concentration: ScalarLike) -> BhatiaThornton:
    """Number-concentration combinations of a pair function given as AA, AB, BB; concentration is that of B.

    Source: PHH Eq. 2, with the NC factor 2 c_A c_B and the swapped lines of PHH Eq. 6 corrected.
    """
    c_b = concentration
    c_a = 1 - concentration
    aa, ab, bb = pairs
    return BhatiaThornton(
        NN=c_a**2 * aa + c_b**2 * bb + 2 * c_a * c_b * ab,
        NC=2 * c_a * c_b * (c_a * aa - c_b * bb + (c_b - c_a) * ab),
        CC=c_a * c_b * (aa + bb - 2 * ab),
    )


def wavenumber_grid(
    fermi_wavenumber: Scalar, q_max: float, nodes: int
) -> tuple[Float[Array, " q"], Float[Array, " q"]]:
    """Gauss-Legendre nodes and weights for an integral over q from 0 to q_max, clustered at 2 k_F.

    A cubic map on both sides of 2 k_F takes up the logarithmic singularity of the Lindhard function there; a third of
    the nodes lie below. The first node is not 0: the integrands are finite, their factors are not.
    fermi_wavenumber, q_max: 1/bohr.
    """
    below = nodes // 3
    inner, inner_weights = _unit_gauss_legendre(below)
    outer, outer_weights = _unit_gauss_legendre(nodes - below)
    kink = 2 * fermi_wavenumber
    q = jnp.concatenate([kink * (1 - inner**3), kink + (q_max - kink) * outer**3])
    weights = jnp.concatenate([kink * 3 * inner**2 * inner_weights, (q_max - kink) * 3 * outer**2 * outer_weights])
    return q, weights


@functools.cache
def _unit_gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


class Interactions(eqx.Module):
    """Interatomic interactions of one alloy at one density, in wavenumber space.

    q, weights: quadrature over wavenumbers, 1/bohr, shape (q,). characteristics: F_AA, F_AB, F_BB at q, Ry.
    effective_valences: Z*_A, Z*_B (with the orthogonalisation hole, where there is one).
    volume_energy: structure-independent energy by name of the term, Ry per atom; its sum is E_FE of PHH Eq. 19.
    screening_charge: rho_i(q) of A and B, electrons. concentration, volume: those of the alloy.
    potential: what they were computed from, in words.
    Source: PHH Sec. II; physics.md 3 and 4.2.
    """

    concentration: Scalar
    volume: Scalar
    q: Float[Array, " q"]
    weights: Float[Array, " q"]
    characteristics: Float[Array, "3 q"]
    effective_valences: Float[Array, "2"]
    volume_energy: dict[str, Scalar]
    screening_charge: Float[Array, "2 q"]
    potential: str = eqx.field(static=True)

    def pair_potentials(self, R: Float[Array, "*shape"]) -> Float[Array, "3 *shape"]:
        """Phi_AA, Phi_AB, Phi_BB at distances R (bohr), in Ry.

        Raises `InputError` for a distance that is not positive. Source: PHH Sec. II.
        """
        require_positive("distance (bohr)", R)
        flat = jnp.ravel(R)
        # in the form sin(qR) F q dq, where the 1/q^2 of F at small q has cancelled once
        kernel = jnp.sin(self.q[None, :] * flat[:, None])
        indirect = jnp.einsum("pq,rq->pr", self.characteristics * (self.q * self.weights)[None], kernel)
        z_a, z_b = self.effective_valences
        direct = 2 * jnp.stack([z_a * z_a, z_a * z_b, z_b * z_b])
        potentials = (direct[:, None] + self.volume / jnp.pi**2 * indirect) / flat[None, :]
        return potentials.reshape(3, *jnp.shape(R))

    def bhatia_thornton(self, R: Float[Array, "*shape"]) -> BhatiaThornton:
        """Phi_NN, Phi_NC, Phi_CC at distances R (bohr), in Ry. Source: PHH Eq. 2."""
        return bhatia_thornton(self.pair_potentials(R), self.concentration)

    def characteristics_nn(self) -> Float[Array, " q"]:
        """F_NN = sum c_i c_j F_ij at `q`, Ry."""
        return bhatia_thornton(self.characteristics, self.concentration).NN

    def characteristics_cc(self) -> Float[Array, " q"]:
        """c_A c_B (F_AA + F_BB - 2 F_AB) at `q`, Ry."""
        return bhatia_thornton(self.characteristics, self.concentration).CC

    def hole_charges(self, valences: Float[Array, "2"]) -> Float[Array, "2"]:
        """Charges of the orthogonalisation holes, Z*_i - Z_i, electrons. Source: PHH Table I."""
        return self.effective_valences - valences

    def screening_density(self, R: Float[Array, " R"]) -> Float[Array, "2 R"]:
        """rho_A(R), rho_B(R): screening charge density around an ion, electrons per bohr^3, at distances R (bohr).

        (1/2 pi^2) int rho_i(q) sin(qR)/(qR) q^2 dq; its integral over space is Z*_i. Source: PHH Fig. 1.
        """
        kernel = jnp.sinc(self.q[:, None] * R[None, :] / jnp.pi)
        return (self.screening_charge * (self.weights * self.q**2)[None]) @ kernel / (2 * jnp.pi**2)

    def self_energy(self) -> Scalar:
        """Sum_i c_i (Omega/2 pi^2) int F_ii q^2 dq: every ion in its own screening cloud, Ry per atom."""
        own = (1 - self.concentration) * self.characteristics[0] + self.concentration * self.characteristics[2]
        return self.volume / (2 * jnp.pi**2) * (self.weights * self.q**2 @ own)


@runtime_checkable
class Potential(Protocol):
    """A way to get the interactions of an alloy: `EmptyCore`, `OptimisedOPW`, `TabulatedPotential`."""

    def prepare(self, alloy: Alloy) -> Any:
        """What the elements of `alloy` bring: look tables up and check the values, before anything is compiled."""
        ...

    def interactions(self, alloy: Alloy, prepared: Any, q_max: float = ..., nodes: int = ...) -> Interactions:
        """The interactions of `alloy`, a pure function of arrays; the texts of `alloy` are gone."""
        ...


def interactions(alloy: Alloy, potential: Potential, **numerics: float | int) -> Interactions:
    """The effective interactions of `alloy` from `potential`.

    numerics: `q_max` (1/bohr) and `nodes` of the quadrature over wavenumbers, by default those of the potential.
    Raises `InputError` where the potential does not cover the alloy. Source: PHH Sec. II.

    >>> import jax.numpy as jnp
    >>> import jaxalloy as ja
    >>> alloy = ja.Alloy.parse("Mg7Zn3", temperature=673.0)
    >>> between = ja.interactions(alloy, ja.EmptyCore())
    >>> between.pair_potentials(jnp.array([5.0, 6.0, 7.0])).shape
    (3, 3)
    >>> bool(between.bhatia_thornton(jnp.array([5.0])).CC[0] > 0)
    True
    """
    return _compute(potential, alloy.without_texts(), potential.prepare(alloy), tuple(sorted(numerics.items())))


@program
def _compute(potential: Potential, alloy: Alloy, prepared: Any, numerics: tuple) -> Interactions:
    return potential.interactions(alloy, prepared, **dict(numerics))


def free_electron_energy(alloy: Alloy) -> dict[str, Scalar]:
    """Kinetic and exchange-correlation energy of the homogeneous gas, Ry per atom. Source: physics.md (V1)."""
    density = alloy.electron_density
    return {
        "kinetic": alloy.mean_valence * kinetic_energy(density),
        "exchange_correlation": alloy.mean_valence * exchange_correlation_energy(density),
    }
