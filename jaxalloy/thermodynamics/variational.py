"""The reference liquid that minimises the free-energy bound, freely or under the contact constraint.

A bound without a minimum in the range of liquids is a result too: its status says so, and where the bound falls on.
"""

import equinox as eqx
import numpy as np

from jaxalloy._typing import Array, Bool, Float, Int, Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.electrons.interactions import Interactions
from jaxalloy.numerics.checks import InputError, NoResultError, is_traced
from jaxalloy.numerics.programs import program
from jaxalloy.reference.mixture import HardSphereYukawa
from jaxalloy.thermodynamics.bound import (
    Entropy,
    FreeEnergy,
    StructureIntegrals,
    assemble,
    check_consistent,
    entropy_of,
)
from jaxalloy.thermodynamics.search import (
    CONVERGED,
    Bound,
    Minimum,
    ScanThenNewton,
    search_contact,
    search_free,
    search_packing,
)

READINGS = ("ordering", "density", "substituted", "literal")

STATUS = ("converged", "no minimum", "not converged", "stationary but no minimum")
ESCAPES = ("", "eta falls", "eta rises", "epsilon grows without bound", "kappa leaves the range searched")


class Unconstrained(eqx.Module):
    """Free minimum of the bound over (eta, epsilon, kappa). Source: PHH Eq. 26."""


class HardSpheres(eqx.Module):
    """No chemical order: epsilon = 0, the bound is minimised over eta alone. For pure liquid metals."""


class ContactConstraint(eqx.Module):
    """Reference and true ordering potential agree at contact: epsilon = -Phi_CC(sigma) (PHH Eq. 31c).

    reading: which terms give the force on eta, taken at fixed epsilon and kappa; kappa always minimises the bound at
    fixed eta, epsilon.

    - "ordering" (default): E_NN - T (S_HS + dS_ord). Reproduces PHH Table II; an empirical match, not a derivation.
    - "density": E_NN - T S_HS; reproduces Table II equally well.
    - "substituted": the whole bound, with epsilon = -Phi_CC(sigma(eta)) put in before differentiating.
    - "literal": the whole bound, PHH Eqs. 31a-c as printed. The last two have no solution for most Li-Pb alloys.

    Raises `InputError` for another reading. Source: physics.md 4.1.
    """

    reading: str = eqx.field(static=True, default="ordering")

    def __check_init__(self):
        if self.reading not in READINGS:
            raise InputError(f"reading {self.reading!r}: choose one of {', '.join(READINGS)}")


Constraint = Unconstrained | HardSpheres | ContactConstraint


class VariationalState(eqx.Module):
    """The minimised bound: the reference liquid, its energies, and the certificate of the minimum.

    liquid: parameters are NaN where there is no minimum. free_energy, entropy: terms by name. gradient_norm: norm of
    the stationarity conditions, Ry. hessian_eigenvalues: of the second derivatives in the unknowns, lowest first (all
    positive at a minimum). status_code, escape_code: see `status` and `escape`. steps: of Newton's method.
    """

    alloy: Alloy
    interactions: Interactions
    liquid: HardSphereYukawa
    free_energy: FreeEnergy
    entropy: Entropy
    constraint: Constraint
    gradient_norm: Scalar
    hessian_eigenvalues: Float[Array, " unknowns"]
    status_code: Int[Array, ""]
    escape_code: Int[Array, ""]
    steps: Int[Array, ""]

    @property
    def eta(self) -> Scalar:
        """Packing fraction."""
        return self.liquid.eta

    @property
    def sigma(self) -> Scalar:
        """Hard-sphere diameter, bohr."""
        return self.liquid.sigma

    @property
    def kappa(self) -> Scalar:
        """Screening constant of the ordering potential, 1/bohr."""
        return self.liquid.kappa

    @property
    def epsilon(self) -> Scalar:
        """Strength of the ordering potential at contact, Ry; negative for hetero-coordination."""
        return self.liquid.epsilon

    @property
    def enthalpy(self) -> Scalar:
        """Internal energy, Ry per atom; the pressure of a liquid metal adds nothing visible."""
        return self.free_energy.energy

    @property
    def converged(self) -> Bool[Array, ""]:
        """Whether this is a certified minimum."""
        return self.status_code == CONVERGED

    @property
    def status(self) -> str:
        """What the search found, in words; for a single, concrete state."""
        words = STATUS[int(self.status_code)]
        if words == "no minimum" and isinstance(self.constraint, ContactConstraint):
            words = "no stationary point"
        return words

    @property
    def escape(self) -> str:
        """Where the bound goes on falling when it has no minimum, in words."""
        return ESCAPES[int(self.escape_code)]

    def require_converged(self) -> "VariationalState":
        """Return the state itself; raises `NoResultError` with what to try where it has not converged."""
        if is_traced(self.status_code) or bool(np.all(self.converged)):
            return self
        where = f" ({self.escape})" if int(self.escape_code) else ""
        advice = {
            Unconstrained: "try the contact constraint",
            HardSpheres: "check volume and potential",
            ContactConstraint: 'try reading="ordering", another potential, or check the volume',
        }[type(self.constraint)]
        raise NoResultError(f"the free-energy bound over eta, epsilon, kappa: {self.status}{where}; {advice}")


_CONTACT = ContactConstraint()
_SCAN = ScanThenNewton()


def minimise(
    alloy: Alloy,
    interactions: Interactions,
    constraint: Constraint = _CONTACT,
    method: ScanThenNewton = _SCAN,
) -> VariationalState:
    """Minimise the free-energy bound of `alloy` over the reference liquid.

    interactions: made for this alloy's composition and volume. constraint: `Unconstrained()`, `ContactConstraint()`
    or `HardSpheres()`. method: how to search. Derivatives of the result with respect to the alloy (temperature,
    volume, composition) and the interactions are implicit ones through the minimum.
    Returns a state whose `status` tells whether there is a minimum; without one the liquid's parameters are NaN.
    Raises `InputError` where alloy and interactions do not belong together. Source: PHH Eqs. 26, 31.

    >>> import jaxalloy as ja
    >>> alloy = ja.Alloy.parse("Mg7Zn3", temperature=673.0)
    >>> state = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore()), ja.Unconstrained())
    >>> state.status, round(float(state.eta), 2), round(float(state.sigma), 1)
    ('converged', 0.45, 5.1)
    """
    check_consistent(alloy, interactions)
    found, liquid, free_energy, entropy = _find(alloy.without_texts(), interactions, constraint, method)
    return VariationalState(
        alloy=alloy,
        interactions=interactions,
        liquid=liquid,
        free_energy=free_energy,
        entropy=entropy,
        constraint=constraint,
        gradient_norm=found.gradient_norm,
        hessian_eigenvalues=found.curvatures,
        status_code=found.status,
        escape_code=found.escape,
        steps=found.steps,
    )


@program
def _find(
    alloy: Alloy, interactions: Interactions, constraint: Constraint, method: ScanThenNewton
) -> tuple[Minimum, HardSphereYukawa, FreeEnergy, Entropy]:
    """The minimum and the energies there; compiled once for all alloys of one potential."""
    bound = Bound(StructureIntegrals.of(interactions), BOLTZMANN_RY_PER_K * alloy.temperature)
    if isinstance(constraint, Unconstrained):
        found = search_free(bound, method)
    elif isinstance(constraint, HardSpheres):
        found = search_packing(bound, method)
    else:
        found = search_contact(bound, constraint.reading, method)
    sigma = bound.integrals.sigma(found.eta)
    liquid = HardSphereYukawa(
        concentration=interactions.concentration,
        eta=found.eta,
        sigma=sigma,
        epsilon=found.epsilon,
        kappa=found.Z / sigma,
        temperature=alloy.temperature,
    )
    reduced = (found.eta, found.y, found.Z)
    entropy = entropy_of(alloy, *reduced)
    energies = bound.integrals.band_structure(*reduced), bound.integrals.electrostatic(*reduced)
    return found, liquid, assemble(alloy, interactions, entropy, *energies), entropy
