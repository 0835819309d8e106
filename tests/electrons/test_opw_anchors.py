"""Every step of the OPW pseudopotential against an independent prototype, three modes x two alloys.

The prototype (`opw_anchors.json`) solves its cores on a logarithmic grid of step 0.01 with errors of second order; its
doc string gives the agreement to expect: levels 1e-4 Ry (light), 5e-3 (Pb), 3e-2 (Pb, relativistic 1s), n_OH 1e-4, F
1e-3 of its scale.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.electrons.form_factors import diagonal, fourier_kernels, regular_ion_potential
from jaxalloy.electrons.interactions import bhatia_thornton, wavenumber_grid
from jaxalloy.electrons.opw import OptimisedOPW, core_levels, wavenumber_characteristics
from jaxalloy.electrons.opw_response import ions_in_gas
from jaxalloy.electrons.orthogonalisation import amplitudes as b
from jaxalloy.elements.cores import frozen_core

ALLOYS = {
    "Li80Pb20": (("Li", "Pb"), 0.2, 149.6, (1.0, 4.0)),
    "Mg70Zn30": (("Mg", "Zn"), 0.3, 154.083, (2.0, 2.0)),
}
# KS-NR runs through the compiled code of KS-SR: `cores` matters there only by exchange with or without correlation
LEVELS = "E_nl (relative to the cell zero; absolute = +vbar)"
MODES = {
    "KS-SR": ("scalar-relativistic", OptimisedOPW()),
    "KS-NR": ("non-relativistic", OptimisedOPW()),
    "paper(HF,core-OH)": ("hartree-fock", OptimisedOPW.paper()),
}


@jax.jit
def steps(potential, concentrations, volume, valences, cores, anchor_q):
    fermi = jnp.cbrt(3 * jnp.pi**2 * (concentrations @ valences) / volume)
    grid, weights = wavenumber_grid(fermi, 20.0, 384)
    q = jnp.concatenate([anchor_q, grid])
    choices = (potential.hole, potential.hole_norm, potential.correlation)
    alloy = ions_in_gas(cores, concentrations, volume, valences, *choices)
    levels, _ = core_levels(potential, alloy)
    k = fermi * jnp.array([0.0, 0.5, 1.0])
    amplitudes = tuple(b(ion.core, ion.state, k) for ion in alloy.ions)
    potential_k = diagonal(alloy.ions, amplitudes, levels, concentrations, volume, alloy.mean_potential, k)
    share = 4 * jnp.pi * concentrations / volume
    kernels = fourier_kernels(anchor_q, cores[0].radius)
    smooth = [regular_ion_potential(ion, kernels) for ion in alloy.ions]
    found = wavenumber_characteristics(potential, concentrations, volume, valences, *cores, q)
    return {
        "found": found,
        "V0": alloy.mean_potential,
        "Wkk": potential_k,
        "p": sum(share[i] * (ion.degeneracy @ amplitudes[i] ** 2) for i, ion in enumerate(alloy.ions)),
        "Vq": jnp.stack(smooth) - 8 * jnp.pi * valences[:, None] / anchor_q[None] ** 2,
        "nOHq": alloy.holes(kernels[0]),
        "F": found.F[:, : len(anchor_q)],
        "grid": (grid, weights, found.F[:, len(anchor_q) :]),
    }


@pytest.fixture(scope="module")
def anchors(reference_numbers):
    return reference_numbers("opw_anchors")


@pytest.fixture(scope="module", params=[(mode, alloy) for mode in MODES for alloy in ALLOYS], ids="-".join)
def case(request, anchors):
    mode, name = request.param
    symbols, c, volume, valences = ALLOYS[name]
    kind, potential = MODES[mode]
    cores = tuple(frozen_core(symbol, kind) for symbol in symbols)
    anchor = anchors[mode][name]
    state = (jnp.array([1 - c, c]), jnp.asarray(volume), jnp.array(valences))
    return mode, name, anchor, steps(potential, *state, cores, jnp.array(anchor["q"]))


def hartree_fock(mode):
    """The prototype's Hartree-Fock orbitals are not at the basis-set limit; ours are.

    Ours agree with published levels to 1e-6 hartree and with PySCF (tests/elements, tests/peers). The prototype's bear
    the mark of a small basis of exponentials: shells that are alone in their l (Li 1s, Mg 2p, Zn 3d) have levels within
    2e-4 Ry of ours, all others differ by up to 0.22 Ry; n_OH agrees to 1e-3, while the amplitudes at k = 0, where the
    energy-insensitive tails beyond 4 bohr count, are off by up to 2 %, and deep levels multiply that in <k|W|k>.
    Twelve to fourteen even-tempered r^(l+1) exp(-zeta r) per l, with Hartree-Fock levels a few 0.01 to 0.2 Ry off,
    scatter just so: p(0) .089-.100, <0|W|0> .24-.33 Ry, Phi_CC(5 bohr) 26-31 mRy for Li0.8Pb0.2; anchor .091, .299,
    27.4; limit .092, .261, 29.6. Hence wide limits here, blunder guards only; see `FURTHER_THAN_STATED`.
    """
    return mode.startswith("paper")


ORBITALS = "the prototype's Hartree-Fock orbitals are not at the basis-set limit (see hartree_fock)"
GRID = (
    "the prototype's radial grid, step 0.01 and second order, errs by more: Zn 1s by 2.5e-3 Ry, Pb s by 2e-2 "
    "(tests/elements/test_cores.py repeats it); the outer levels of Zn and Pb, 1e-4 to 5e-3 Ry off, move Phi by 1e-3"
)
FURTHER_THAN_STATED = {
    **{("paper(HF,core-OH)", name, what): ORBITALS for name in ALLOYS for what in ("levels", "holes", "Phi")},
    ("paper(HF,core-OH)", "Li80Pb20", "F"): ORBITALS,
    **{(mode, name, what): GRID for mode in ("KS-NR", "KS-SR") for name in ALLOYS for what in ("levels", "Phi")},
    **{(mode, "Li80Pb20", "holes"): GRID for mode in ("KS-NR", "KS-SR")},
}
"""Where ours is further from the anchors than their doc string states, and why."""


@pytest.mark.parametrize("what", ["levels", "holes", "F", "Phi"])
def test_anchors_to_the_agreement_they_state(case, what, request):
    """Doc string of the anchors: E_nl 1e-4 Ry (light), 5e-3 (Pb NR), 3e-2 (Pb SR 1s); n_OH 1e-4 relative, 5e-4 in the
    paper mode; F 1e-3 of its scale; Phi 5e-3 mRy, Pb-Pb at 4 bohr 0.1 mRy of 947."""
    mode, name, anchor, found = case
    reason = FURTHER_THAN_STATED.get((mode, name, what))
    if reason:
        request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    result = found["found"]
    if what == "levels":
        for symbol, ours, theirs in zip(ALLOYS[name][0], result.core_levels, anchor[LEVELS], strict=True):
            theirs = np.array(list(theirs.values()))
            stated = {"Pb": 3e-2 if mode == "KS-SR" else 5e-3}.get(symbol, 1e-4)
            np.testing.assert_array_less(np.abs(np.asarray(ours) - anchor["vbar"] - theirs), stated)
    elif what == "holes":
        np.testing.assert_allclose(result.hole_charges, anchor["nOH"], rtol=5e-4 if hartree_fock(mode) else 1e-4)
    elif what == "F":
        theirs = np.array([anchor["F_AA"], anchor["F_AB"], anchor["F_BB"]])
        scale = np.max(np.abs(theirs), axis=1, keepdims=True)
        np.testing.assert_array_less(np.abs(found["F"] - theirs) / scale, 1e-3)
    else:
        theirs = np.array([anchor[f"Phi_{pair}_mRy"] for pair in ("AA", "AB", "BB")])
        stated = np.maximum(5e-3, 0.1 / 947 * np.abs(theirs))
        np.testing.assert_array_less(np.abs(pair_potentials(name, anchor, found) - theirs), stated)


def test_core_levels(case):
    mode, _, anchor, found = case
    for ours, theirs in zip(found["found"].core_levels, anchor[LEVELS], strict=True):
        theirs = np.array(list(theirs.values()))
        # the prototype's grid: 1e-4 Ry for light elements, up to 2e-2 for the s levels of Pb, 3e-2 for its
        # relativistic 1s; the levels that matter (above -20 Ry) are better
        deep = np.abs(theirs) > 20
        if len(theirs) < 6:
            tolerance = np.full(len(theirs), 2e-4)
        elif len(theirs) == 6:
            tolerance = np.where(np.abs(theirs) > 7, 3e-3, 4e-4)
        else:
            tolerance = np.where(deep, 3.2e-2 if mode == "KS-SR" else 2.2e-2, 6e-3)
        if hartree_fock(mode):
            tolerance = np.where(deep, 0.25, 0.03)
        np.testing.assert_array_less(np.abs(np.asarray(ours) - anchor["vbar"] - theirs), tolerance)


def test_form_factors_without_the_cores_orthogonality(case):
    _, _, anchor, found = case
    assert float(found["V0"]) == pytest.approx(anchor["V0"], rel=3e-4)
    np.testing.assert_allclose(found["Vq"], anchor["Vq"], rtol=1.1e-4)


def test_holes(case):
    mode, _, anchor, found = case
    rtol = 1.4e-3 if hartree_fock(mode) else 4e-4
    np.testing.assert_allclose(found["found"].hole_charges, anchor["nOH"], rtol=rtol)
    # the q dependence: of the size of the hole, its small oscillating end is no measure
    size = np.max(np.abs(anchor["nOHq"]), axis=1, keepdims=True)
    assert np.max(np.abs(found["nOHq"] - np.array(anchor["nOHq"])) / size) < rtol


def test_lost_norm_and_diagonal_potential(case):
    mode, _, anchor, found = case
    if hartree_fock(mode):  # the core part of either is where approximate orbitals show
        np.testing.assert_allclose(found["p"], anchor["p(0,kF/2,kF)"], rtol=0.021)
        np.testing.assert_allclose(found["Wkk"], anchor["Wkk(0,kF/2,kF)"], atol=0.04)
        return
    np.testing.assert_allclose(found["p"], anchor["p(0,kF/2,kF)"], rtol=2e-4)
    np.testing.assert_allclose(found["Wkk"], anchor["Wkk(0,kF/2,kF)"], atol=2e-4)


def test_wavenumber_characteristics(case):
    mode, _, anchor, found = case
    theirs = np.array([anchor["F_AA"], anchor["F_AB"], anchor["F_BB"]])
    error = np.abs(found["F"] - theirs)
    scale = 3e-3 if hartree_fock(mode) else 1e-4
    np.testing.assert_array_less(error, scale * np.max(np.abs(theirs), axis=1, keepdims=True) + 0 * error)
    if not hartree_fock(mode):
        # beyond the Coulomb part, where nothing hides behind 1/q^2: 0.5 % or 2e-5 Ry
        np.testing.assert_array_less(error[:, 1:], 5e-3 * np.abs(theirs[:, 1:]) + 2e-5)


def pair_potentials(name, anchor, found):
    """Phi_AA, Phi_AB, Phi_BB at the anchors' distances, mRy."""
    q, weights, characteristics = (np.asarray(x) for x in found["grid"])
    R = np.array(anchor["R"])
    # the prototype's direct term has Z + n_OH; ours the charge that is in the hole (relativistic: 5e-4 of it less)
    a, b = np.array(ALLOYS[name][3]) + np.asarray(found["found"].hole_charges)
    indirect = (characteristics * q * weights) @ np.sin(np.outer(q, R))
    direct = 2 * np.array([a * a, a * b, b * b])[:, None]
    return 1e3 * (direct + ALLOYS[name][2] / np.pi**2 * indirect) / R


def test_pair_potentials(case):
    mode, name, anchor, found = case
    c = ALLOYS[name][1]
    ours = pair_potentials(name, anchor, found)
    theirs = np.array([anchor[f"Phi_{pair}_mRy"] for pair in ("AA", "AB", "BB")])
    error = np.abs(ours - theirs)
    if hartree_fock(mode):
        limit = 0.16 * np.max(np.abs(theirs), axis=1, keepdims=True) + 0 * error
    else:
        # 5e-3 mRy for the light ions; Zn and Pb carry the 5e-4 of their holes and 1e-3 Ry of their outer levels
        relative = {"Li80Pb20": [5e-4, 7e-4, 1e-3], "Mg70Zn30": [2e-4, 5e-4, 2e-3]}[name]
        limit = np.array(relative)[:, None] * np.abs(theirs) + np.array([[7e-3], [1.5e-2], [2e-2]])
    np.testing.assert_array_less(error, limit)
    if not hartree_fock(mode):
        ordering = np.asarray(bhatia_thornton(jnp.asarray(ours), c).CC)
        np.testing.assert_allclose(ordering, anchor["CC_mRy"], rtol=3e-3, atol=0.02)
