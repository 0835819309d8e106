"""Exchange and correlation of the electron gas against libxc, by way of PySCF."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.electrons import gas

libxc = pytest.importorskip("pyscf.dft.libxc", reason="peer absent: pip install pyscf")

DENSITIES = 3 / (4 * np.pi * np.array([0.3, 0.9, 1.1, 2.0, 3.25, 5.6]) ** 3)


def energy_and_potential(name):
    """Energy per electron and potential of one of libxc's functionals, Ry."""
    energy, (potential, *_) = libxc.eval_xc(name, DENSITIES, spin=0)[:2]
    return 2 * energy, 2 * potential


def test_exchange():
    energy, _ = energy_and_potential("LDA_X")
    np.testing.assert_allclose(gas.exchange_energy(jnp.asarray(DENSITIES)), energy, rtol=1e-12)


def test_correlation_of_perdew_and_zunger():
    energy, _ = energy_and_potential("LDA_C_PZ")  # the coefficients as published, as here
    np.testing.assert_allclose(gas.correlation_energy(jnp.asarray(DENSITIES)), energy, rtol=1e-12)


def test_potential():
    expected = energy_and_potential("LDA_X")[1] + energy_and_potential("LDA_C_PZ")[1]
    np.testing.assert_allclose(gas.exchange_correlation_potential(jnp.asarray(DENSITIES)), expected, rtol=1e-12)
