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
import numpy as np

from jaxalloy._typing import Array, Bool, Float, Int, Scalar
from jaxalloy.numerics.newton import inverse_small, newton_root
from jaxalloy.reference import hard_sphere, yukawa
from jaxalloy.thermodynamics.bound import Waves

CONVERGED, NO_MINIMUM, NOT_CONVERGED, SADDLE = range(4)
STAYS, ETA_FALLS, ETA_RISES, ORDER_GROWS, KAPPA_LEAVES = range(5)

_STRONGEST_ORDER, _WEAKEST_ORDER = 12.0, 0.02  # -y at the ends of the scan
_NO_ORDER = (0.0, 0.0)  # y and ln Z where they are no unknowns


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

    integrals: Any  # StructureIntegrals, or NearbyIntegrals around a point
    thermal: Scalar  # k_B T, Ry

    def packing(self, eta: Scalar) -> Scalar:
        """E_NN - T S_HS."""
        return self.integrals.density_energy(eta) - self.thermal * hard_sphere.excess_entropy(eta)

    def ordering(self, eta: Scalar, y: Scalar, Z: Scalar) -> Scalar:
        """E_CC - T dS_ord."""
        return self.integrals.ordering_energy(eta, y, Z) - self.thermal * yukawa.ordering_entropy(eta, y, Z)

    def contact_coupling(self, eta: Scalar) -> Scalar:
        """K = beta epsilon where the reference potential is the true one at contact: -Phi_CC(sigma)/k_B T."""
        return -self.integrals.contact_potential_cc(eta) / self.thermal


class _Node(NamedTuple):
    """A bound at one packing fraction of the scan, where the functions of wavenumber are known."""

    bound: Bound
    waves: Waves

    @property
    def packing(self) -> Scalar:
        """`Bound.packing` here."""
        energy = self.bound.integrals.density_energy_of(self.waves)
        return energy - self.bound.thermal * hard_sphere.excess_entropy(self.waves.eta)

    def ordering(self, y: Scalar, Z: Scalar) -> Scalar:
        """`Bound.ordering` here."""
        energy = self.bound.integrals.ordering_energy_of(self.waves, y, Z)
        return energy - self.bound.thermal * yukawa.ordering_entropy(self.waves.eta, y, Z)

    @property
    def contact_coupling(self) -> Scalar:
        """`Bound.contact_coupling` here."""
        return -self.bound.integrals.contact_potential_cc_of(self.waves) / self.bound.thermal

    def near(self, y: Scalar, Z: Scalar) -> Bound:
        """The bound to second order around here."""
        return Bound(self.bound.integrals.near(self.waves, y, Z), self.bound.thermal)


@jax.jit  # one trace for all searches
def _at(bound: Bound, eta: Scalar) -> _Node:
    return _Node(bound, bound.integrals.waves(eta))


class _Branch(NamedTuple):
    """The unknowns with the ordering variables at their minimum, for one packing fraction of the scan."""

    unknowns: Float[Array, " n"]
    value: Scalar
    escape: Int[Array, ""]


def search_free(bound: Bound, method: ScanThenNewton) -> Minimum:
    """Minimum over (eta, epsilon, kappa). Source: PHH Eq. 26."""
    nodes = method.order_nodes

    def order(index: Scalar, Z: Scalar) -> Scalar:
        """y by index: ordering on a logarithmic scale, then no order, then segregation up to near the spinodal."""
        decay = jnp.log(_WEAKEST_ORDER / _STRONGEST_ORDER) / (nodes - 1)
        segregating = 0.3 * (index - nodes) * yukawa.spinodal_y(Z)
        return jnp.where(index <= nodes - 1, -_STRONGEST_ORDER * jnp.exp(decay * index), segregating)

    def conditions(unknowns: Float[Array, " 3"], bound: Bound) -> Float[Array, " 3"]:
        return jax.jacfwd(lambda u: bound.packing(u[0]) + bound.ordering(u[0], u[1], jnp.exp(u[2])))(unknowns)

    def follow(node: _Node) -> _Branch:
        def values(indices):
            Z = jnp.exp(_log_Z(indices[:, 1], method))
            return jax.vmap(node.ordering)(jax.vmap(order)(indices[:, 0], Z), Z)

        rows, columns = jnp.meshgrid(jnp.arange(nodes + 4.0), jnp.arange(1.0 * nodes), indexing="ij")
        grid = values(jnp.stack([rows.ravel(), columns.ravel()], axis=-1)).reshape(rows.shape)
        row, column = jnp.unravel_index(jnp.argmin(grid), grid.shape)
        at_edge = (column == 0) | (column == nodes - 1)
        escape = jnp.where(row == 0, ORDER_GROWS, jnp.where(at_edge, KAPPA_LEAVES, STAYS))
        start = jnp.stack([jnp.clip(row, 1, grid.shape[0] - 2), jnp.clip(column, 1, nodes - 2)])
        index = _refine(values, grid, start)
        log_z = _log_Z(index[1], method)
        unknowns = jnp.stack([node.waves.eta, order(index[0], jnp.exp(log_z)), log_z])
        return _Branch(unknowns, node.packing + jnp.min(grid), escape)

    unknowns, jacobian, found = _search(follow, conditions, bound, method)
    eta, y, Z = unknowns[0], unknowns[1], jnp.exp(unknowns[2])
    curvatures = jnp.linalg.eigvalsh((jacobian + jacobian.T) / 2)
    return _certified(eta, y, Z, bound.thermal * yukawa.coupling_from_y(eta, y, Z), curvatures, found)


def search_contact(bound: Bound, reading: str, method: ScanThenNewton) -> Minimum:
    """Solution under epsilon = -Phi_CC(sigma). reading: which terms make up the force on eta.

    The conditions are: no force on eta, none on kappa (both at fixed epsilon, kappa), K(eta, y, Z) = epsilon/k_B T.
    Source: PHH Eq. 31; physics.md 4.1.
    """

    def conditions(unknowns: Float[Array, " 3"], bound: Bound) -> Float[Array, " 3"]:
        def parts(u):
            eta, y, Z = u[0], u[1], jnp.exp(u[2])
            entropy = -bound.thermal * yukawa.ordering_entropy(eta, y, Z)
            strength = bound.thermal * (yukawa.coupling_from_y(eta, y, Z) - bound.contact_coupling(eta))
            found = bound.packing(eta), bound.ordering(eta, y, Z), entropy, bound.thermal * bound.contact_coupling(eta)
            return (*found, strength), strength

        (packing, ordering, entropy, contact, excess), mismatch = jax.jacfwd(parts, has_aux=True)(unknowns)
        strength = excess + contact  # of epsilon = k_B T K in the unknowns
        # the ways that keep epsilon: at fixed kappa, where sigma goes with the cube root of eta, and at fixed eta
        log_z_eta = 1 / (3 * unknowns[0])
        along_eta = jnp.stack([1.0, -(strength[0] + strength[2] * log_z_eta) / strength[1], log_z_eta])
        along_kappa = jnp.stack([0.0, -strength[2] / strength[1], 1.0])
        force_eta = packing[0]
        if reading == "ordering":
            force_eta += entropy @ along_eta
        if reading in ("literal", "substituted"):
            force_eta += ordering @ along_eta
        if reading == "substituted":
            force_eta += ordering[1] / strength[1] * contact[0]
        return jnp.stack([force_eta, ordering @ along_kappa, mismatch])

    def follow(node: _Node) -> _Branch:
        eta, K = node.waves.eta, node.contact_coupling

        def order(index):
            Z = jnp.exp(_log_Z(index, method))
            return yukawa.solve_order_parameter(eta, K, Z)[0], Z

        def values(indices):
            energies = jax.vmap(node.ordering)(*jax.vmap(order)(indices[:, 0]))
            return jnp.where(jnp.isnan(energies), jnp.inf, energies)  # beyond the spinodal

        line = values(jnp.arange(1.0 * method.order_nodes)[:, None])
        lowest = (line[1:-1] <= line[:-2]) & (line[1:-1] < line[2:])
        start = 1 + jnp.argmin(jnp.where(lowest, line[1:-1], jnp.inf))
        y, Z = order(_refine(values, line, start[None])[0])
        escape = jnp.where(jnp.any(lowest), STAYS, KAPPA_LEAVES)
        return _Branch(jnp.stack([eta, y, jnp.log(Z)]), node.packing + line[start], escape)

    unknowns, jacobian, found = _search(follow, conditions, bound, method)
    eta, y, Z = unknowns[0], unknowns[1], jnp.exp(unknowns[2])
    # curvature in ln kappa at fixed eta and epsilon; slope of the force on eta with y and kappa following
    inner = jacobian[1:, 1:]
    kappa_curvature = inner[0, 1] - inner[0, 0] * inner[1, 1] / inner[1, 0]
    eta_slope = jacobian[0, 0] - jacobian[0, 1:] @ inverse_small(inner) @ jacobian[1:, 0]
    # no jnp.sort: a compiled sort cannot be kept
    curvatures = jnp.stack([jnp.minimum(kappa_curvature, eta_slope), jnp.maximum(kappa_curvature, eta_slope)])
    return _certified(eta, y, Z, bound.thermal * bound.contact_coupling(eta), curvatures, found)


def search_packing(bound: Bound, method: ScanThenNewton) -> Minimum:
    """Minimum over eta alone, without chemical order. Source: PHH Eq. 26a with epsilon = 0."""

    def conditions(unknowns: Float[Array, " 1"], bound: Bound) -> Float[Array, " 1"]:
        return jax.jacfwd(lambda u: bound.packing(u[0]))(unknowns)

    def follow(node: _Node) -> _Branch:
        return _Branch(node.waves.eta[None], node.packing, jnp.asarray(STAYS))

    unknowns, jacobian, found = _search(follow, conditions, bound, method)
    nothing = jnp.zeros_like(unknowns[0])
    return _certified(unknowns[0], nothing, nothing + 1, nothing, jnp.diagonal(jacobian), found)


class _Found(NamedTuple):
    gradient_norm: Scalar
    status: Int[Array, ""]
    escape: Int[Array, ""]
    steps: Int[Array, ""]


def _search(
    follow: Callable[[_Node], _Branch],
    conditions: Callable[[Float[Array, " n"], Bound], Float[Array, " n"]],
    bound: Bound,
    method: ScanThenNewton,
) -> tuple[Float[Array, " n"], Float[Array, "n n"], _Found]:
    """Scan, bracket, Newton.

    Returns the unknowns, the Jacobian of the conditions there, and how it went.
    """

    def near(unknowns, bound):
        return near_node(unknowns, _at(bound, unknowns[0]))

    def near_node(unknowns, node):
        _, y, log_z = (*unknowns, *_NO_ORDER)[:3]
        return node.near(jnp.asarray(y, node.waves.eta.dtype), jnp.exp(log_z))

    scan_bound = jax.lax.stop_gradient(bound)

    def scanned(eta):
        node = _at(scan_bound, eta)
        branch = follow(node)
        straight = Bound(near_node(branch.unknowns, node).integrals.to_first_order(), scan_bound.thermal)
        return branch, conditions(branch.unknowns, straight)[0]

    branch, force = jax.lax.map(scanned, jnp.linspace(method.eta[0], method.eta[1], method.eta_nodes))
    valid = branch.escape == STAYS
    crossing = (force[:-1] < 0) & (force[1:] >= 0)
    bracket = valid[:-1] & valid[1:] & crossing
    exists = jnp.any(bracket)
    index = jnp.argmin(jnp.where(bracket, branch.value[:-1] + branch.value[1:], jnp.inf))
    left, right = force[index], force[index + 1]
    fraction = jnp.where(exists, -left / jnp.where(exists, right - left, 1.0), 0.5)
    start = branch.unknowns[index] * (1 - fraction) + branch.unknowns[index + 1] * fraction

    root = newton_root(conditions, start, bound, method.tolerance, method.max_steps, wanted=exists, near=near)
    inside = (root.value[0] > method.eta[0]) & (root.value[0] < method.eta[1])
    status = jnp.where(~exists, NO_MINIMUM, jnp.where(root.converged & inside, CONVERGED, NOT_CONVERGED))
    escape = jnp.where(exists, STAYS, _escape(branch.escape, force, valid, crossing))
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


def _escape(
    escape: Int[Array, " eta"],
    force: Float[Array, " eta"],
    valid: Bool[Array, " eta"],
    crossing: Bool[Array, " brackets"],
) -> Int[Array, ""]:
    """The direction in which the bound falls where no packing fraction is a minimum."""
    packed = jnp.argmax(crossing)  # the packing is settled there, but the ordering variables are not
    ordering_left = jnp.maximum(escape[packed], escape[packed + 1])
    falling = jnp.all(jnp.where(valid, force < 0, True))
    packing_left = jnp.where(falling, ETA_RISES, ETA_FALLS)
    return jnp.where(jnp.any(crossing), ordering_left, packing_left)


def _log_Z(index: Float[Array, "*n"], method: ScanThenNewton) -> Float[Array, "*n"]:
    """ln(kappa sigma) at a fractional index of the scan."""
    low, high = np.log(method.kappa_sigma)
    return low + (high - low) / (method.order_nodes - 1) * index


def _refine(
    values: Callable[[Float[Array, "n d"]], Float[Array, " n"]], grid: Float[Array, "*grid"], start: Int[Array, " d"]
) -> Float[Array, " d"]:
    """Minimum of `values` near a point of its grid, in indices: parabolas through the grid, then ever closer."""
    dimensions = grid.ndim
    around = jax.lax.dynamic_slice(grid, tuple(start - 1), (3,) * dimensions)
    steps = jnp.stack(jnp.meshgrid(*[jnp.arange(-1.0, 2.0)] * dimensions, indexing="ij"), axis=-1)

    def zoom(centre, width):
        points = (centre[None] + width * steps.reshape(-1, dimensions)).astype(grid.dtype)
        return centre + width * _stencil_minimum(values(points).reshape(around.shape)), None

    centre = start.astype(grid.dtype) + _stencil_minimum(around)
    return jax.lax.scan(zoom, centre, jnp.asarray([0.25, 0.0625], grid.dtype))[0]


def _stencil_minimum(values: Float[Array, "*stencil"]) -> Float[Array, " d"]:
    """Minimum of the parabola through a stencil of 3 or 3 x 3 values, in steps from its centre, at most one of them."""
    if values.ndim == 1:
        gradient, hessian = (values[2:] - values[:1]) / 2, (values[2:] + values[:1] - 2 * values[1:2])[None]
    else:
        first = jnp.stack([values[2, 1] - values[0, 1], values[1, 2] - values[1, 0]])
        second = jnp.stack([values[2, 1] + values[0, 1], values[1, 2] + values[1, 0]]) - 2 * values[1, 1]
        mixed = (values[2, 2] + values[0, 0] - values[2, 0] - values[0, 2]) / 4
        gradient, hessian = first / 2, jnp.stack([jnp.stack([second[0], mixed]), jnp.stack([mixed, second[1]])])
    convex = (hessian[0, 0] > 0) & (jnp.linalg.det(hessian) > 0) & jnp.all(jnp.isfinite(hessian))
    safe = jnp.where(convex, hessian, jnp.eye(hessian.shape[0], dtype=hessian.dtype))
    return jnp.where(convex, jnp.clip(-inverse_small(safe) @ gradient, -1, 1), 0.0)
