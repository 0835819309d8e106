"""Where the free-energy bound has its minimum: scan the packing fraction, follow the ordering variables, then Newton.

For every packing fraction of the scan the ordering variables are put at their minimum. The force on the packing
fraction then changes sign from - to + where there is a minimum, and nowhere else; from that bracket Newton's method
takes all unknowns to the root of the stationarity conditions, which is differentiated implicitly.

The unknowns are eta, y and ln Z (Z = kappa sigma): y is the variable of the mean-spherical closed forms, in which
neither the bound nor the strength epsilon = k_B T K(eta, y, Z) needs a root.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Bool, Float, Int, Scalar
from jaxalloy.electrons.interactions import Interactions
from jaxalloy.numerics.newton import newton_root
from jaxalloy.reference import hard_sphere, yukawa
from jaxalloy.thermodynamics.bound import StructureIntegrals

CONVERGED, NO_MINIMUM, NOT_CONVERGED, SADDLE = range(4)
STAYS, ETA_FALLS, ETA_RISES, ORDER_GROWS, KAPPA_LEAVES = range(5)


class ScanThenNewton(eqx.Module):
    """How `minimise` searches: numerics only.

    eta: range of packing fractions scanned. kappa_sigma: range of kappa sigma. eta_nodes, order_nodes: points of the
    scan per variable. tolerance: of Newton's method on the unknowns. max_steps: its limit.
    """

    eta: tuple[float, float] = eqx.field(static=True, default=(0.20, 0.58))
    kappa_sigma: tuple[float, float] = eqx.field(static=True, default=(0.3, 30.0))
    eta_nodes: int = eqx.field(static=True, default=20)
    order_nodes: int = eqx.field(static=True, default=16)
    tolerance: float = eqx.field(static=True, default=1e-10)
    max_steps: int = eqx.field(static=True, default=32)


class Minimum(NamedTuple):
    """What a search found: the reference liquid in reduced variables, and how certain it is."""

    eta: Scalar
    y: Scalar
    Z: Scalar
    epsilon: Scalar
    gradient_norm: Scalar
    curvatures: Float[Array, " unknowns"]
    status: Int[Array, ""]
    escape: Int[Array, ""]
    steps: Int[Array, ""]


class Bound(eqx.Module):
    """The bound of one alloy in reduced variables, Ry per atom; what does not move the minimum is left out."""

    integrals: StructureIntegrals
    thermal: Scalar  # k_B T, Ry

    def packing(self, eta: Scalar) -> Scalar:
        """E_NN - T S_HS."""
        return self.integrals.density_energy(eta) - self.thermal * hard_sphere.excess_entropy(eta)

    def ordering(self, eta: Scalar, y: Scalar, Z: Scalar) -> Scalar:
        """E_CC - T dS_ord."""
        return self.integrals.ordering_energy(eta, y, Z) - self.thermal * yukawa.ordering_entropy(eta, y, Z)

    def order_parameter(self, eta: Scalar, epsilon: Scalar, Z: Scalar) -> Scalar:
        """The variable y for a given strength epsilon, Ry."""
        return yukawa.solve_order_parameter(eta, epsilon / self.thermal, Z)[0]


class _Branch(NamedTuple):
    """The unknowns with the ordering variables at their minimum, for one packing fraction of the scan."""

    unknowns: Float[Array, " 3"]
    force: Scalar
    value: Scalar
    escape: Int[Array, ""]


def search_free(bound: Bound, method: ScanThenNewton) -> Minimum:
    """Minimum over (eta, epsilon, kappa). Source: PHH Eq. 26."""
    log_Z = jnp.log(jnp.geomspace(method.kappa_sigma[0], method.kappa_sigma[1], method.order_nodes))
    # ordering on a logarithmic grid, segregation as a fraction of the spinodal; y = 0 is in between
    strength = jnp.concatenate([-jnp.geomspace(12.0, 0.02, method.order_nodes), jnp.linspace(0.0, 0.9, 4)])

    def order(t: Scalar, Z: Scalar) -> Scalar:
        return jnp.where(t < 0, t, t * yukawa.spinodal_y(Z))

    def conditions(unknowns: Float[Array, " 3"], bound: Bound) -> Float[Array, " 3"]:
        packing = jax.grad(bound.packing)(unknowns[0])
        ordering = jax.grad(lambda u: bound.ordering(u[0], u[1], jnp.exp(u[2])))(unknowns)
        return ordering.at[0].add(packing)

    def follow(eta: Scalar) -> _Branch:
        def value(t, u):
            return bound.ordering(eta, order(t, jnp.exp(u)), jnp.exp(u))

        grid = jax.vmap(jax.vmap(value, (None, 0)), (0, None))(strength, log_Z)
        row, column = jnp.unravel_index(jnp.argmin(grid), grid.shape)
        at_edge = (column == 0) | (column == method.order_nodes - 1)
        escape = jnp.where(row == 0, ORDER_GROWS, jnp.where(at_edge, KAPPA_LEAVES, STAYS))
        row, column = jnp.clip(row, 1, grid.shape[0] - 2), jnp.clip(column, 1, grid.shape[1] - 2)
        shift = _stencil_minimum(jax.lax.dynamic_slice(grid, (row - 1, column - 1), (3, 3)))
        log_z = _between(log_Z, column, shift[1])
        unknowns = jnp.stack([eta, order(_between(strength, row, shift[0]), jnp.exp(log_z)), log_z])
        force = conditions(unknowns, bound)[0]
        return _Branch(unknowns, force, bound.packing(eta) + grid[row, column], escape)

    unknowns, jacobian, found = _search(follow, conditions, bound, method)
    eta, y, Z = unknowns[0], unknowns[1], jnp.exp(unknowns[2])
    curvatures = jnp.linalg.eigvalsh((jacobian + jacobian.T) / 2)
    return _certified(eta, y, Z, bound.thermal * yukawa.coupling_from_y(eta, y, Z), curvatures, found)


def search_contact(bound: Bound, interactions: Interactions, reading: str, method: ScanThenNewton) -> Minimum:
    """Solution under epsilon = -Phi_CC(sigma). reading: which terms make up the force on eta.

    The conditions are: no force on eta, none on kappa (both at fixed epsilon, kappa), K(eta, y, Z) = epsilon/k_B T.
    Source: PHH Eq. 31; physics.md 4.1.
    """
    log_Z = jnp.log(jnp.geomspace(method.kappa_sigma[0], method.kappa_sigma[1], method.order_nodes))

    def coupling(eta, parameters):
        """Phi_CC at contact, as K = beta epsilon."""
        bound, interactions = parameters
        return -interactions.bhatia_thornton(bound.integrals.sigma(eta)).CC / bound.thermal

    def conditions(unknowns, parameters):
        bound, _ = parameters
        eta, y, log_z = unknowns
        Z = jnp.exp(log_z)
        K, (K_eta, K_y, K_z) = jax.value_and_grad(yukawa.coupling_from_y, (0, 1, 2))(eta, y, Z)
        F_eta, F_y, F_z = jax.grad(bound.ordering, (0, 1, 2))(eta, y, Z)
        z_eta = Z / (3 * eta)  # at fixed kappa: sigma goes with the cube root of eta
        y_eta = -(K_eta + K_z * z_eta) / K_y  # at fixed epsilon and kappa
        force_kappa = Z * (F_z - F_y * K_z / K_y)
        force_eta = jax.grad(bound.packing)(eta)
        if reading == "ordering":
            S_eta, S_y, S_z = jax.grad(yukawa.ordering_entropy, (0, 1, 2))(eta, y, Z)
            force_eta -= bound.thermal * (S_eta + S_y * y_eta + S_z * z_eta)
        if reading in ("literal", "substituted"):
            force_eta += F_eta + F_y * y_eta + F_z * z_eta
        if reading == "substituted":
            force_eta += F_y / K_y * jax.grad(coupling)(eta, parameters)
        return jnp.stack([force_eta, force_kappa, bound.thermal * (K - coupling(eta, parameters))])

    parameters = (bound, interactions)

    def follow(eta: Scalar) -> _Branch:
        epsilon = bound.thermal * coupling(eta, parameters)
        ys = jax.vmap(lambda u: bound.order_parameter(eta, epsilon, jnp.exp(u)))(log_Z)
        values = jax.vmap(lambda y, u: bound.ordering(eta, y, jnp.exp(u)))(ys, log_Z)
        values = jnp.where(jnp.isnan(values), jnp.inf, values)  # beyond the spinodal
        lowest = (values[1:-1] <= values[:-2]) & (values[1:-1] < values[2:])
        index = 1 + jnp.argmin(jnp.where(lowest, values[1:-1], jnp.inf))
        left, centre, right = jax.lax.dynamic_slice(values, (index - 1,), (3,))
        curvature = left - 2 * centre + right
        shift = jnp.clip((left - right) / jnp.where(curvature > 0, 2 * curvature, jnp.inf), -1, 1)
        log_z = _between(log_Z, index, shift)
        unknowns = jnp.stack([eta, bound.order_parameter(eta, epsilon, jnp.exp(log_z)), log_z])
        escape = jnp.where(jnp.any(lowest), STAYS, KAPPA_LEAVES)
        return _Branch(unknowns, conditions(unknowns, parameters)[0], bound.packing(eta) + centre, escape)

    unknowns, jacobian, found = _search(follow, conditions, parameters, method)
    eta, y, Z = unknowns[0], unknowns[1], jnp.exp(unknowns[2])
    # curvature in ln kappa at fixed eta and epsilon; slope of the force on eta with y and kappa following
    inner = jacobian[1:, 1:]
    kappa_curvature = inner[0, 1] - inner[0, 0] * inner[1, 1] / inner[1, 0]
    eta_slope = jacobian[0, 0] - jacobian[0, 1:] @ jnp.linalg.solve(inner, jacobian[1:, 0])
    curvatures = jnp.sort(jnp.stack([kappa_curvature, eta_slope]))
    return _certified(eta, y, Z, bound.thermal * coupling(eta, parameters), curvatures, found)


def search_packing(bound: Bound, method: ScanThenNewton) -> Minimum:
    """Minimum over eta alone, without chemical order. Source: PHH Eq. 26a with epsilon = 0."""

    def conditions(unknowns, bound):
        return jax.grad(lambda u: bound.packing(u[0]))(unknowns)

    def follow(eta: Scalar) -> _Branch:
        return _Branch(eta[None], conditions(eta[None], bound)[0], bound.packing(eta), jnp.asarray(STAYS))

    unknowns, jacobian, found = _search(follow, conditions, bound, method)
    nothing = jnp.zeros_like(unknowns[0])
    return _certified(unknowns[0], nothing, nothing + 1, nothing, jnp.diagonal(jacobian), found)


class _Found(NamedTuple):
    gradient_norm: Scalar
    status: Int[Array, ""]
    escape: Int[Array, ""]
    steps: Int[Array, ""]


def _search(
    follow: Callable[[Scalar], _Branch], conditions: Callable, parameters: Any, method: ScanThenNewton
) -> tuple[Float[Array, " n"], Float[Array, "n n"], _Found]:
    """Scan, bracket, Newton; returns the unknowns, the Jacobian of the conditions there, and how it went."""
    etas = jnp.linspace(method.eta[0], method.eta[1], method.eta_nodes)
    branch = jax.lax.stop_gradient(jax.vmap(follow)(etas))
    valid = branch.escape == STAYS
    crossing = (branch.force[:-1] < 0) & (branch.force[1:] >= 0)
    bracket = valid[:-1] & valid[1:] & crossing
    exists = jnp.any(bracket)
    index = jnp.argmin(jnp.where(bracket, branch.value[:-1] + branch.value[1:], jnp.inf))
    left, right = branch.force[index], branch.force[index + 1]
    fraction = jnp.where(exists, -left / jnp.where(exists, right - left, 1.0), 0.5)
    start = branch.unknowns[index] * (1 - fraction) + branch.unknowns[index + 1] * fraction

    root = newton_root(conditions, start, parameters, method.tolerance, method.max_steps, wanted=exists)
    spacing = etas[1] - etas[0]
    near = (root.value[0] > etas[index] - spacing) & (root.value[0] < etas[index + 1] + spacing)
    status = jnp.where(~exists, NO_MINIMUM, jnp.where(root.converged & near, CONVERGED, NOT_CONVERGED))
    escape = jnp.where(exists, STAYS, _escape(branch, valid, crossing))
    return root.value, root.jacobian, _Found(jnp.linalg.norm(root.residual), status, escape, root.steps)


def _certified(
    eta: Scalar, y: Scalar, Z: Scalar, epsilon: Scalar, curvatures: Float[Array, " unknowns"], found: _Found
) -> Minimum:
    """A minimum has positive curvatures; where there is none the numbers are NaN, for they mean nothing."""
    status = jnp.where((found.status == CONVERGED) & ~jnp.all(curvatures > 0), SADDLE, found.status)
    kept = (status == CONVERGED) | (status == SADDLE)
    eta, y, Z, epsilon, curvatures, norm = (
        jnp.where(kept, number, jnp.nan) for number in (eta, y, Z, epsilon, curvatures, found.gradient_norm)
    )
    return Minimum(eta, y, Z, epsilon, norm, curvatures, status, found.escape, found.steps)


def _escape(branch: _Branch, valid: Bool[Array, " eta"], crossing: Bool[Array, " brackets"]) -> Int[Array, ""]:
    """The direction in which the bound falls where no packing fraction is a minimum."""
    packed = jnp.argmax(crossing)  # the packing is settled there, but the ordering variables are not
    ordering_left = jnp.maximum(branch.escape[packed], branch.escape[packed + 1])
    falling = jnp.all(jnp.where(valid, branch.force < 0, True))
    packing_left = jnp.where(falling, ETA_RISES, ETA_FALLS)
    return jnp.where(jnp.any(crossing), ordering_left, packing_left)


def _between(grid: Float[Array, " n"], index: Int[Array, ""], shift: Scalar) -> Scalar:
    """Value of a grid at a fractional index."""
    step = jnp.where(shift < 0, grid[index] - grid[index - 1], grid[index + 1] - grid[index])
    return grid[index] + shift * step


def _stencil_minimum(values: Float[Array, "3 3"]) -> Float[Array, " 2"]:
    """Minimum of the parabola through a 3 x 3 stencil, in steps from its centre and at most one of them."""
    first = jnp.stack([values[2, 1] - values[0, 1], values[1, 2] - values[1, 0]]) / 2
    centre = values[1, 1]
    along = jnp.stack([values[2, 1] + values[0, 1] - 2 * centre, values[1, 2] + values[1, 0] - 2 * centre])
    mixed = (values[2, 2] + values[0, 0] - values[2, 0] - values[0, 2]) / 4
    determinant = along[0] * along[1] - mixed**2
    shift = -jnp.stack([along[1] * first[0] - mixed * first[1], along[0] * first[1] - mixed * first[0]])
    usable = (determinant > 0) & (along[0] > 0)
    return jnp.where(usable, jnp.clip(shift / jnp.where(usable, determinant, 1.0), -1, 1), 0.0)
