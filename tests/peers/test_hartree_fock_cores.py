"""The Hartree-Fock cores of the table against PySCF's closed-shell ions in even-tempered Gaussians."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.elements import cores

gto = pytest.importorskip("pyscf.gto", reason="peer absent: pip install pyscf")
scf = pytest.importorskip("pyscf.scf")

IONS = {"Li": 1, "Al": 3}


@pytest.fixture(scope="module", params=IONS)
def ion(request):
    """The converged ion: symbol, mean field, and its occupied orbitals by angular momentum."""
    symbol, charge = request.param, IONS[request.param]
    exponents = 0.12 * 1.7 ** np.arange(36)
    basis = [[0, [a, 1.0]] for a in exponents] + [[1, [a, 1.0]] for a in exponents[:24]]
    atom = gto.M(atom=f"{symbol} 0 0 0", charge=charge, basis={symbol: basis}, verbose=0)
    field = scf.RHF(atom)
    field.conv_tol = 1e-12
    field.kernel()
    assert field.converged
    return symbol, field


def positions_of_s(atom):
    return [i for i, label in enumerate(atom.ao_labels(fmt=False)) if label[2].endswith("s")]


def of_s(field):
    """Coefficients of the occupied s orbitals, in the order of their levels."""
    s = positions_of_s(field.mol)
    occupied = field.mo_coeff[:, field.mo_occ > 0]
    return occupied[:, np.sum(occupied[s] ** 2, axis=0) > 1e-8]


def test_overlap_with_the_plane_wave_at_rest(ion):
    """B_ns(0) = int R r^2 dr = int phi d^3r/sqrt(4 pi): what p(0) and the orthogonalisation hole are made of."""
    symbol, field = ion
    atom = field.mol
    exponents = np.array([atom.bas_exp(i)[0] for i in range(atom.nbas) if atom.bas_angular(i) == 0])
    gaussian = (np.pi / exponents) ** 1.5 * (2 * exponents / np.pi) ** 0.75  # integral of a normalised 1s Gaussian
    s = positions_of_s(atom)
    expected = np.sum((gaussian @ of_s(field)[s]) ** 2) / (4 * np.pi)
    core = cores.frozen_core(symbol, "hartree-fock")
    state = core.at(jnp.asarray(0.01))
    at_rest = core.weight @ (core.radius[:, None] * state.orbitals)
    found = np.sum(np.asarray(at_rest)[np.asarray(core.angular_momenta) == 0] ** 2)
    # moments of the tail are converged to 3e-5 in Gaussians: ratios of 1.6 to 1.8 between exponents differ by that
    assert found == pytest.approx(expected, rel=6e-5)


def test_energies_without_exchange(ion):
    """<T - 2Z/r + V_Hartree> of the s orbitals: the levels of the theory before V_xc and V_cell, Ry."""
    symbol, field = ion
    orbitals = of_s(field)
    bare = field.get_hcore() + field.get_j()
    expected = 2 * np.einsum("ai,ab,bi->i", orbitals, bare, orbitals)
    core = cores.frozen_core(symbol, "hartree-fock")
    levels = np.asarray(core.at(jnp.asarray(0.01)).ionic_levels)
    found = np.sort(levels[np.asarray(core.angular_momenta) == 0])
    np.testing.assert_allclose(found, np.sort(expected), rtol=2e-5, atol=2e-4)
