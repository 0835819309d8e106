"""The laws of relaxation against exact limits, SciPy's integrals and its integrator."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.special import exp1, ive, kve, loggamma

from jaxalloy.fitting.relaxation import relaxation_model
from jaxalloy.fitting.relaxation.compare import NAMES

TIMES = np.concatenate([[0.0], np.geomspace(1e-3, 1.0, 40)])
VALUES = {
    "em12": (400.0, 10.0, 12.0),
    "em9": (100.0, 5.0, 8.0, 1e-3),
    "kww": (0.2, 0.6),
    "age": (0.1, 6.0),
    "age-normal": (0.1, 2.0),
    "tnm": (0.2, 0.7, 1.5),
    "exponential": (0.3,),
}


def progress(name, *values, times=TIMES, power=1):
    return relaxation_model(name, power).progress(np.array(values), times)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "constant"])
def test_starts_at_zero_and_stays_finite_at_the_corners_of_its_bounds(name):
    model = relaxation_model(name)
    assert progress(name, *VALUES[name])[0] == 0.0
    assert np.all(np.isfinite(progress(name, *VALUES[name])))
    if not name.startswith("em"):
        for end in ("lower", "upper"):
            assert np.all(np.isfinite(progress(name, *[getattr(p, end) for p in model.parameters])))


def test_special_cases():
    exponential = progress("exponential", 0.3)
    np.testing.assert_allclose(progress("kww", 0.3, 1.0), exponential, rtol=1e-13)
    # a box of width w differs from one rate by w^2/24, a normal spectrum by s^2/2, of order one
    np.testing.assert_allclose(progress("age", 0.3, 1e-3), exponential, atol=1e-6)
    np.testing.assert_allclose(progress("age-normal", 0.3, 1e-3), exponential, atol=1e-6)
    # the trapezoid of 2001 points on at most 20 e-folds: (0.01)^2/12 times beta^2
    np.testing.assert_allclose(progress("tnm", 0.2, 0.6, 0.0), progress("kww", 0.2, 0.6), atol=1e-5)
    assert np.all(progress("constant") == 0)


@pytest.mark.parametrize("width", [0.5, 6.0, 30.0])
def test_even_spectrum_is_a_difference_of_exponential_integrals(width):
    slow, fast = 0.1 * np.exp(width / 2), 0.1 * np.exp(-width / 2)
    exact = 1 - (exp1(TIMES[1:] / slow) - exp1(TIMES[1:] / fast)) / width
    np.testing.assert_allclose(progress("age", 0.1, width)[1:], exact, atol=1e-10)


@pytest.mark.parametrize("width", [0.5, 2.0, 8.0])
def test_normal_spectrum_against_quadrature(width):
    def weighted(z, t):
        return np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * -np.expm1(-t / 0.1 * np.exp(-width * z))

    exact = [quad(weighted, -10, 10, args=(t,), points=[0.0], limit=200)[0] for t in TIMES[1::6]]
    # 121 nodes 0.1 apart: |Gamma(1 + 2 pi i/(0.1 width))| = 4e-5 at the widest spectrum allowed
    np.testing.assert_allclose(progress("age-normal", 0.1, width)[1::6], exact, atol=1e-4 if width > 5 else 1e-8)


@pytest.mark.parametrize("values", [(0.2, 0.7, 1.5), (0.2, 1.3, -1.0), (0.05, 0.5, 3.0)])
def test_isothermal_tnm_is_its_differential_equation(values):
    tau, beta, theta = values
    first = TIMES[1]

    def pace(_, xi):
        return np.exp(theta * np.exp(-(np.maximum(xi, 0.0) ** beta))) / tau

    out = solve_ivp(pace, (0.0, 1.0), [0.0], t_eval=TIMES, rtol=1e-10, atol=1e-14, first_step=1e-9 * first)
    np.testing.assert_allclose(progress("tnm", *values), -np.expm1(-(out.y[0] ** beta)), atol=2e-5)


@pytest.mark.parametrize(("x0", "nu", "gamma"), [(400.0, 10.0, 12.0), (1.0, 1.0, 5.0), (30.0, 0.5, 2.0)])
def test_closed_form_is_eq_12_by_bessel_functions(x0, nu, gamma):
    z0 = 2 * np.sqrt(x0)
    z = z0 * np.exp(-gamma * TIMES / 2)
    grow = ive(nu, z0) * kve(nu, z) * np.exp(z0 - z) - ive(nu, z) * kve(nu, z0) * np.exp(z - z0)
    log_limit = -nu * np.log(z0 / 2) + np.log(ive(nu, z0)) + z0 + loggamma(nu)
    exact = 2 * np.exp(-nu * gamma * TIMES / 2 - log_limit) * grow
    found = progress("em12", x0, nu, gamma)
    # cubic interpolation between 240 nodes of exact values and slopes
    np.testing.assert_allclose(found, exact, atol=2e-5)
    np.testing.assert_allclose(progress("em12", x0, nu, gamma, power=2), found**2, rtol=1e-12)


def test_nonlinear_law_against_scipy():
    x0, nu, gamma, seed = VALUES["em9"]
    sigma0, dephasing = x0 * gamma**2, nu * gamma

    def rate(_, y):
        b, d, sigma = y  # b = -i y0, d = y1: real at resonance
        return [d, sigma * b - dephasing * d, -gamma * sigma - 4 * d * b]

    end = 6.0 / gamma * 7
    out = solve_ivp(
        rate, (0, end), [0, seed * sigma0, sigma0], "DOP853", t_eval=np.append(TIMES, end), rtol=1e-11, atol=1e-11
    )
    exact = np.abs(out.y[0][:-1] / out.y[0][-1])
    assert exact.max() > 1.02  # it overshoots, as only the nonlinear law can
    # 240 nodes; the field swings at Delta sqrt(sigma0) = 80
    np.testing.assert_allclose(progress("em9", x0, nu, gamma, seed), exact, atol=3e-4)


def test_nonlinear_law_with_a_vanishing_seed_is_the_closed_form():
    found = progress("em9", 30.0, 3.0, 6.0, 1e-9)
    np.testing.assert_allclose(found, progress("em12", 30.0, 3.0, 6.0), atol=1e-6)


@pytest.mark.parametrize("name", ["em12", "em9"])
def test_curves_do_not_depend_on_their_neighbours(name):
    """More rows than go together, some of them far dearer than others: each as if alone."""
    rows = np.array([VALUES[name]] * 20)
    rows[:, 0] *= np.geomspace(0.01, 20.0, 20)
    together = relaxation_model(name).progresses(rows, TIMES)
    for row, found in zip(rows[::6], together[::6], strict=True):
        np.testing.assert_allclose(found, progress(name, *row), atol=1e-9)


def test_what_does_not_get_through_is_not_a_number():
    """gamma T = 3e5 with nu = 0.05 rings thousands of times."""
    found = relaxation_model("em9").progresses(np.array([[1e4, 1e-6, 3.0, 0.5], VALUES["em9"]]), TIMES)
    assert np.all(np.isnan(found[0]))
    assert np.all(np.isfinite(found[1]))
