"""Self-consistent cores: Kohn-Sham (non- or scalar-relativistic) in a uniform gas, Hartree-Fock of the free ion."""

import dataclasses
from collections.abc import Callable

import numpy as np

from experiments.cores.exchange_correlation import perdew_zunger
from experiments.cores.radial import SPEED_OF_LIGHT, RadialBasis

Shells = tuple[tuple[int, int], ...]  # (l, i) with i = n - l - 1


@dataclasses.dataclass(frozen=True)
class Core:
    """Levels (Ry) and orbitals (B-spline coefficients of P = r R) of one closed-shell core."""

    nuclear_charge: int
    shells: Shells
    basis: RadialBasis
    levels: np.ndarray  # (orbital,) eigenvalues
    ionic_levels: np.ndarray  # (orbital,) <T - 2Z/r + V_Hartree of the core>
    vectors: np.ndarray  # (basis, orbital)
    density: np.ndarray  # (node,)
    cycles: int


def core_density(basis: RadialBasis, shells: Shells, orbitals: np.ndarray) -> np.ndarray:
    """Electrons per volume, two per spatial orbital: Σ 2 (2l+1) P^2 / (4 pi r^2)."""
    occupation = np.array([2.0 * (2 * l + 1) for l, _ in shells])
    return (orbitals**2 @ occupation) / (4.0 * np.pi * basis.r**2)


def hartree(basis: RadialBasis, density: np.ndarray) -> np.ndarray:
    """Potential energy of an electron in a spherical electron density, e^2 = 2."""
    return 2.0 * basis.multipole(4.0 * np.pi * basis.r**2 * density, 0)


def cell_potential(r: np.ndarray, valence: float, radius: float) -> np.ndarray:
    """V_cell: a neutral sphere of uniform electrons, seen from its centre's ion."""
    return np.where(r < radius, valence * (3.0 - (r / radius) ** 2) / radius, 2.0 * valence / r)


def kohn_sham(
    nuclear_charge: int,
    shells: Shells,
    relativistic: bool = False,
    gas_density: float = 0.0,
    valence: float = 0.0,
    potential: Callable[[np.ndarray], np.ndarray] = perdew_zunger,
    tolerance: float = 1e-9,
    start: Core | None = None,
) -> Core:
    """Core in V_ion + V_cell(Z_i, R_i): its own neutral sphere of the gas; no gas and no cell for gas_density = 0."""
    basis = RadialBasis.for_nucleus(nuclear_charge)
    r = basis.r
    cell = np.zeros_like(r)
    if gas_density > 0:
        cell = cell_potential(r, valence, (3.0 * valence / (4.0 * np.pi * gas_density)) ** (1 / 3))
    zero = potential(np.array(gas_density)) if gas_density > 0 else 0.0
    if start is None:
        levels, density = None, None
        screened = -2.0 * nuclear_charge / r * (0.15 + 0.85 * np.exp(-(nuclear_charge ** (1 / 3)) * r))
        v_hartree, v_total = screened + 2.0 * nuclear_charge / r, screened
    else:
        levels, density = start.levels, start.density
    mixing = Mixing(basis.weight * r**2)
    for cycle in range(1, 200):
        if density is not None:
            v_hartree = hartree(basis, density)
            v_total = (
                -2.0 * nuclear_charge / r + v_hartree + potential(density + gas_density) - zero + cell
            )
        new_levels, vectors = _orbitals(basis, shells, v_total, relativistic, levels)
        new_density = core_density(basis, shells, basis.on_nodes(vectors))
        change = np.inf if levels is None else np.max(np.abs(new_levels - levels) / (1.0 + np.abs(levels)))
        levels = new_levels
        density = new_density if density is None else mixing.next(density, new_density)
        if change < tolerance:
            break
    else:
        raise RuntimeError(f"the core of Z = {nuclear_charge} did not converge in 200 cycles")
    embedding = v_total + 2.0 * nuclear_charge / r - v_hartree
    shift = np.einsum("r,ra->a", basis.weight * embedding, basis.on_nodes(vectors) ** 2)
    return Core(nuclear_charge, shells, basis, levels, levels - shift, vectors, density, cycle)


class Mixing:
    """Anderson's mixing of the last few densities (J. ACM 12, 547 (1965)), step 0.5; soft d shells need it."""

    def __init__(self, weight: np.ndarray):
        self.weight, self.history = weight, []

    def next(self, density: np.ndarray, output: np.ndarray) -> np.ndarray:
        """The density to try after `density` gave `output`; never negative."""
        self.history = [*self.history[-5:], (density, output - density)]
        x, f = self.history[-1]
        if len(self.history) > 1:
            steps = np.array([f - old for _, old in self.history[:-1]])
            moves = np.array([x - old for old, _ in self.history[:-1]])
            normal = (steps * self.weight) @ steps.T
            normal += 1e-10 * np.trace(normal) * np.eye(len(steps))
            share = np.linalg.solve(normal, (steps * self.weight) @ f)
            x, f = x - share @ moves, f - share @ steps
        mixed = x + 0.5 * f
        return np.where(mixed > 0, mixed, output)


def _orbitals(
    basis: RadialBasis, shells: Shells, v: np.ndarray, relativistic: bool, guess: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Levels and orbitals of every shell in a given potential; M = 1 + (E - V)/c^2 iterated on E per orbital."""
    levels, vectors = np.zeros(len(shells)), np.zeros((basis.values.shape[1], len(shells)))
    v_matrix = basis.matrix(v)
    for l in sorted({l for l, _ in shells}):
        members = [a for a, shell in enumerate(shells) if shell[0] == l]
        count = 1 + max(shells[a][1] for a in members)
        if not relativistic or guess is None:
            e, c = basis.lowest(basis.kinetic(l) + v_matrix, count)
            for a in members:
                levels[a], vectors[:, a] = e[shells[a][1]], c[:, shells[a][1]]
        if not relativistic:
            continue
        for a in members:
            energy = levels[a] if guess is None else guess[a]
            for _ in range(20 if guess is None else 4):
                mass = 1.0 + (energy - v) / SPEED_OF_LIGHT**2
                e, c = basis.lowest(basis.kinetic(l, mass) + v_matrix, count)
                previous, energy = energy, e[shells[a][1]]
                if abs(energy / previous - 1.0) < 1e-12:
                    break
            levels[a], vectors[:, a] = energy, c[:, shells[a][1]]
    return levels, vectors


def wigner_squared(l: int, k: int, m: int) -> float:
    """(l k m; 0 0 0)^2, the squared 3j symbol: ½ ∫ P_l P_k P_m dx."""
    x, w = np.polynomial.legendre.leggauss((l + k + m) // 2 + 1)
    product = np.ones_like(x)
    for degree in (l, k, m):
        product = product * np.polynomial.legendre.Legendre.basis(degree)(x)
    return float(0.5 * np.sum(w * product))


def hartree_fock(nuclear_charge: int, shells: Shells, tolerance: float = 1e-9) -> Core:
    """Closed-shell Hartree-Fock of the free non-relativistic ion; starts from its Kohn-Sham orbitals."""
    start = kohn_sham(nuclear_charge, shells, tolerance=1e-4)
    basis, r = start.basis, start.basis.r
    density_matrices = _density_matrices(start.vectors, shells)
    levels, vectors = start.levels, start.vectors
    fock_previous: dict[int, np.ndarray] = {}
    for cycle in range(1, 100):
        orbitals = basis.on_nodes(vectors)
        v = -2.0 * nuclear_charge / r + hartree(basis, core_density(basis, shells, orbitals))
        ionic = {l: basis.kinetic(l) + basis.matrix(v) for l in density_matrices}
        new_levels, new_vectors = levels.copy(), vectors.copy()
        for l in density_matrices:
            fock = ionic[l] - _exchange(basis, shells, orbitals, l)
            if l in fock_previous:
                fock = fock_previous[l] + 0.7 * (fock - fock_previous[l])
            fock_previous[l] = fock
            count = 1 + max(i for m, i in shells if m == l)
            e, c = basis.lowest(fock, count)
            for a, (m, i) in enumerate(shells):
                if m == l:
                    new_levels[a], new_vectors[:, a] = e[i], c[:, i]
        change = np.max(np.abs(new_levels - levels) / (1.0 + np.abs(levels)))
        levels, vectors = new_levels, new_vectors
        if change < tolerance:
            break
    else:
        raise RuntimeError(f"Hartree-Fock of Z = {nuclear_charge} did not converge in 100 cycles")
    ionic_levels = np.array(
        [vectors[:, a] @ ionic[l] @ vectors[:, a] for a, (l, _) in enumerate(shells)]
    )
    density = core_density(basis, shells, basis.on_nodes(vectors))
    return Core(nuclear_charge, shells, basis, levels, ionic_levels, vectors, density, cycle)


def _density_matrices(vectors: np.ndarray, shells: Shells) -> dict[int, np.ndarray]:
    groups: dict[int, list[int]] = {}
    for a, (l, _) in enumerate(shells):
        groups.setdefault(l, []).append(a)
    return {l: vectors[:, members] @ vectors[:, members].T for l, members in groups.items()}


def _exchange(basis: RadialBasis, shells: Shells, orbitals: np.ndarray, l: int) -> np.ndarray:
    """Σ_b Σ_k (2 l_b+1) (l k l_b)^2 2 ∫∫ (B_i P_b)(r) r_<^k/r_>^{k+1} (B_j P_b)(r')."""
    matrix = np.zeros((basis.values.shape[1],) * 2)
    for b, (m, _) in enumerate(shells):
        pair = basis.values * orbitals[:, b : b + 1]
        for k in range(abs(l - m), l + m + 1, 2):
            strength = 2.0 * (2 * m + 1) * wigner_squared(l, k, m)
            matrix += strength * (basis.weight[:, None] * pair).T @ basis.multipole(pair, k)
    return 0.5 * (matrix + matrix.T)
