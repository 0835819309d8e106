"""Response of the electron gas against direct integration, real space and limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import jaxalloy as ja
from jaxalloy.electrons import screening
from jaxalloy.electrons.gas import correlation_energy

K_FERMI = 0.68


def test_lindhard_is_the_sum_over_occupied_states():
    # chi_0 = -(4/(2 pi)^3) int_{k<kF} d^3k 2/((k+q)^2 - k^2), done over the angle in closed form
    for q in (0.3, 0.9, 1.5, 4.0):
        integrand = lambda k, q=q: k * np.log(abs((q + 2 * k) / (q - 2 * k)))  # noqa: E731
        points = [q / 2] if q / 2 < K_FERMI else None
        integral = quad(integrand, 0, K_FERMI, points=points, limit=400, epsabs=1e-13)[0]
        direct = -integral / (2 * np.pi**2 * q)
        assert float(screening.lindhard(jnp.asarray(q), K_FERMI)) == pytest.approx(direct, rel=1e-9)


def test_lindhard_limits():
    at = lambda x: float(screening.lindhard_shape(jnp.asarray(x)))  # noqa: E731
    assert at(0.0) == 1.0
    assert at(1.0) == 0.5
    assert at(1e3) == pytest.approx(1e-6 / 3, rel=1e-6)
    for seam in (0.25, 4.0):  # series and closed form meet
        assert at(seam * (1 - 1e-12)) == pytest.approx(at(seam * (1 + 1e-12)), rel=1e-11)
    assert np.isfinite(jax.grad(lambda x: screening.lindhard_shape(x))(0.0))


def real_space_response(R, free_path):
    """chi_0(R) exp(-R/l): Friedel's form of the Lindhard function, Ry units."""
    x = 2 * K_FERMI * R
    shape = -(x**3) / 3 * (1 - x**2 / 10) if x < 1e-2 else x * np.cos(x) - np.sin(x)
    return shape / (16 * np.pi**3 * R**4) * np.exp(-R / free_path)


@pytest.mark.parametrize("q", [0.1, 0.8, 2 * K_FERMI, 2.5])
@pytest.mark.parametrize("free_path", [3.0, 12.0])
def test_finite_mean_free_path_is_a_damped_response_in_real_space(q, free_path):
    integrand = lambda R: 4 * np.pi * R**2 * real_space_response(R, free_path) * np.sinc(q * R / np.pi)  # noqa: E731
    numerical = quad(integrand, 1e-6, 40 * free_path, limit=4000, epsabs=1e-13)[0]
    ours = screening.smeared_lindhard(jnp.asarray(q), K_FERMI, free_path)
    assert float(ours) == pytest.approx(numerical, rel=1e-8)


def test_long_mean_free_path_is_lindhard():
    # to leading order in 1/l the transform of R chi_0(R): chi_l - chi_0 = 1/(8 pi l) below 2 k_F, nothing above
    q = jnp.asarray([0.2, 1.0, 3.0])
    change = screening.smeared_lindhard(q, K_FERMI, 1e5) - screening.lindhard(q, K_FERMI)
    np.testing.assert_allclose(change * 8e5 * np.pi, [1.0, 1.0, 0.0], atol=1e-4)


def test_smeared_response_is_smooth_at_zero():
    at = lambda q: float(screening.smeared_lindhard(jnp.asarray(q), K_FERMI, 8.0))  # noqa: E731
    assert at(0.0) == pytest.approx(at(1e-3), rel=1e-5)


@pytest.mark.parametrize("rs", [1.5, 2.3, 3.2, 5.0])
def test_ichimaru_utsumi_limits(rs):
    k_fermi = float(np.cbrt(9 * np.pi / 4)) / rs
    field = ja.IchimaruUtsumi()
    small = field(jnp.asarray([1e-3, 0.019999, 0.020001]) * k_fermi, k_fermi)
    gamma = screening.compressibility_coefficient(jnp.asarray(rs))
    np.testing.assert_allclose(small / jnp.asarray([1e-3, 0.019999, 0.020001]) ** 2, gamma, rtol=2e-3)
    hole = 1 - screening.contact_pair_correlation(jnp.asarray(rs))
    assert float(field(jnp.asarray(400 * k_fermi), k_fermi)) == pytest.approx(float(hole), rel=1e-3)


@pytest.mark.parametrize("rs", [2.0, 3.0, 4.0])
def test_compressibility_from_another_correlation_energy(rs):
    # gamma_0 = 1/4 - (pi a/24) rs^5 d/drs[rs^-3 ... ] is the compressibility sum rule, here from Perdew-Zunger:
    # gamma_0 = 1/4 - (pi a/24)(rs^2)(rs d^2e_c/drs^2 - 2 de_c/drs) rs ... in Ry; the two fits differ by a few per cent
    energy = lambda r: correlation_energy(3 / (4 * jnp.pi * r**3))  # noqa: E731
    first, second = jax.grad(energy)(rs), jax.grad(jax.grad(energy))(rs)
    a = np.cbrt(4 / (9 * np.pi))
    expected = 0.25 + np.pi * a / 24 * (2 * rs**2 * first - rs**3 * second)
    assert float(screening.compressibility_coefficient(jnp.asarray(rs))) == pytest.approx(float(expected), rel=0.01)


@pytest.mark.parametrize("rs", [1.0, 2.0, 3.0, 4.0, 5.0])
def test_vashishta_singwi_table_against_the_published_fit(rs):
    # A = .5362 + .1874 rs - .0157 rs^2 + .0008 rs^3, B = .42 - .0582 rs + .0079 rs^2 - .0005 rs^3: a fit in use
    # elsewhere, good to 2 per cent of the table up to rs = 5
    a = 0.5362 + 0.1874 * rs - 0.0157 * rs**2 + 0.0008 * rs**3
    b = 0.42 - 0.0582 * rs + 0.0079 * rs**2 - 0.0005 * rs**3
    k_fermi = float(np.cbrt(9 * np.pi / 4)) / rs
    q = jnp.linspace(0.1, 4, 20) * k_fermi
    fit = a * (1 - np.exp(-b * np.linspace(0.1, 4, 20) ** 2))
    np.testing.assert_allclose(ja.VashishtaSingwi()(q, k_fermi), fit, rtol=0.02)


def test_vashishta_singwi_says_where_it_ends():
    with pytest.raises(ja.InputError, match=r"r_s = 8.*IchimaruUtsumi"):
        ja.VashishtaSingwi()(jnp.asarray([1.0]), float(np.cbrt(9 * np.pi / 4)) / 8)


def test_bad_mean_free_path_is_named():
    with pytest.raises(ja.InputError, match="mean free path"):
        screening.response(jnp.asarray([1.0]), K_FERMI, -3.0)
