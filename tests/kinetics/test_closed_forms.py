import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxalloy.kinetics import (
    Adaptive,
    ExponentialRelaxation,
    FreeRelaxation,
    arrival_times,
    critical_gain,
    lossless_field,
    off_resonance_modulus,
    relax,
    weak_gain_field,
)

TIMES = np.linspace(0.0, 12.0, 33)  # as many as in the reference file: one compilation


def test_reference_solutions_and_their_limits(exponential_cases):
    # 1e-11 of max|b| is asked for; order 24 within its radius leaves rounding, some 1e-14.
    for case in exponential_cases:
        out = relax(case.system, case.times)
        assert out.converged
        assert case.error(out.field) < 1e-11, case.name
        modulus = np.abs(case.field) / case.entry["b_inf_abs"]
        assert np.abs(out.eta - modulus).max() < 1e-11 * modulus.max(), case.name
        np.testing.assert_allclose(np.exp(out.log_limit), case.entry["b_inf_abs"], rtol=1e-11)


def _bessel_log_modulus(t, x, dephasing):
    """ln|b/(Delta d0)| at gamma = 1 from EM Eq. 12 with z0 = 2x, 40 digits."""
    with mpmath.workdps(40):
        nu, z0 = mpmath.mpmathify(dephasing), mpmath.mpf(2 * x)
        z = z0 * mpmath.exp(-mpmath.mpf(float(t)) / 2)
        value = mpmath.besseli(nu, z0) * mpmath.besselk(nu, z) - mpmath.besseli(nu, z) * mpmath.besselk(nu, z0)
        return float(mpmath.log(abs(2 * value * mpmath.exp(-nu * mpmath.mpf(float(t)) / 2))))


@pytest.mark.parametrize(("x", "dephasing"), [(400.0, 2.5), (400.0, 40.0), (120.0, complex(3.0, 25.0))])
def test_beyond_overflow_against_mpmath(x, dephasing):
    loss = complex(dephasing)
    out = relax(ExponentialRelaxation(1.0, x**2, 1.0, loss.real, 1.0, loss.imag), TIMES)
    for i in (1, 8, 32):
        # An error of the logarithm is a relative one of |b|; ln|b| reaches 770, rounded to 1e-13.
        assert float(out.log_modulus[i]) == pytest.approx(_bessel_log_modulus(TIMES[i], x, dephasing), abs=1e-11)
    assert bool(jnp.all(jnp.isfinite(out.eta)))
    assert float(out.eta[-1]) == pytest.approx(1.0, rel=2 * x**2 * np.exp(-12.0))


def test_limit_is_the_hypergeometric_function():
    out = relax(ExponentialRelaxation(0.7, -9.0, 0.2, 1.2, 0.8, 0.5), TIMES)
    order = 1 + complex(1.2, 0.5) / 0.8
    expected = abs(0.7 * 0.2 / complex(1.2, 0.5) * mpmath.hyp0f1(order, -9.0 * 0.49 / 0.64))
    assert float(jnp.exp(out.log_limit)) == pytest.approx(float(expected), rel=1e-12)


def test_three_regimes_of_figure_1():
    # (x, Gamma) -> t50, t90 as printed in physics.md 5.2, to the digits given there.
    printed = {(1, 10): (0.079, 0.354), (1, 1): (1.20, 3.61), (20, 10): (4.12, 6.04)}
    times = np.linspace(0.0, 16.0, 200)
    for (x, dephasing), expected in printed.items():
        out = relax(ExponentialRelaxation(1.0, float(x) ** 2, 1e-4, float(dephasing), 1.0), times)
        found = arrival_times(out, (0.5, 0.9))
        np.testing.assert_allclose(found.times, expected, rtol=6e-3)
        assert bool(jnp.all(found.found))
        assert bool(found.settled)
        assert bool(jnp.all(jnp.diff(out.eta) > -1e-12))  # monotone for sigma0 > 0


def test_critical_gain_separates_s_shapes():
    nu = jnp.array([1.0, 5.0, 10.0, 50.0])
    critical = jax.jit(jax.vmap(critical_gain))(nu)
    np.testing.assert_allclose(critical, [2.56, 10.5, 17.9, 62.7], rtol=3e-3)  # three digits are printed
    times = np.linspace(0.0, 8.0, 200)
    for factor, s_shaped in ((0.9, False), (1.1, True)):
        for n, x0 in zip(nu, critical, strict=True):
            rate = np.asarray(relax(ExponentialRelaxation(1.0, factor * x0, 1e-4, n, 1.0), times).rate)
            assert bool((np.diff(rate) > 1e-9 * rate.max()).any()) is s_shaped


def test_limits_off_resonance():
    weak = ExponentialRelaxation(1.0, 0.25, 0.125, 0.5, 1.0, 50.0)
    exact = relax(weak, TIMES).field
    scale = float(jnp.max(jnp.abs(exact)))
    gain = 0.25 / np.hypot(0.5, 50.0)
    plain = off_resonance_modulus(weak, TIMES)
    better = weak_gain_field(weak, TIMES)
    # EM 14 neglects the gain, first order; (14a) keeps it: errors of order g and g^2 (plus g/Omega).
    assert float(jnp.max(jnp.abs(plain - jnp.abs(exact)))) < 2 * gain * scale
    assert float(jnp.max(jnp.abs(better - exact))) < 0.2 * gain * scale
    no_gain = ExponentialRelaxation(1.0, 0.0, 0.125, 0.5, 1.0, 50.0)
    np.testing.assert_allclose(off_resonance_modulus(no_gain, TIMES), jnp.abs(relax(no_gain, TIMES).field), atol=1e-15)


@pytest.mark.parametrize(("inversion", "seed"), [(3.0, 1e-6), (0.7, 0.2 - 0.3j), (-2.0, 0.4j)])
def test_lossless_solution_against_mpmath_and_integration(inversion, seed):
    system = FreeRelaxation(0.8, inversion, seed, 0.0, jnp.inf)
    times = np.linspace(0.0, 30.0, 41)
    closed = lossless_field(system, times)
    length = np.hypot(inversion, 2 * abs(seed))
    with mpmath.workdps(40):
        dipole = mpmath.fabs(mpmath.mpmathify(seed))
        m = mpmath.cos(mpmath.atan2(2 * dipole, mpmath.mpf(inversion)) / 2) ** 2
        scale = mpmath.sqrt(mpmath.mpf(inversion) ** 2 + 4 * dipole**2)
        for i in (3, 17, 40):
            u = mpmath.mpf(0.8) * mpmath.sqrt(scale) * mpmath.mpf(times[i])
            expected = mpmath.sqrt(scale * m * (1 - m)) * abs(mpmath.ellipfun("sd", u, m=m))
            assert abs(closed[i]) == pytest.approx(float(expected), abs=1e-11 * np.sqrt(length))
    integrated = relax(system, times, Adaptive(rtol=1e-12))
    # After one pulse the pendulum comes back to its seed: an integration with an error of 1e-12 has a seed of 1e-6
    # to six digits only, so the next pulses are compared where the seed is large.
    compared = times < (18.0 if abs(seed) < 1e-3 else 30.0)
    assert float(jnp.max(jnp.abs(closed - integrated.field)[compared])) < 1e-9 * np.sqrt(length)


def test_warning_names_the_depletion():
    strong = relax(ExponentialRelaxation(1.0, 400.0, 0.125, 10.0, 1.0), TIMES)
    assert "10^12.2" in strong.warning
    faint = relax(ExponentialRelaxation(1.0, 400.0, 1e-12, 10.0, 1.0), TIMES)
    assert faint.warning == ""
    # And it is right: where silent, EM 9 with the same seed and t_sigma = 1/gamma agrees.
    times = np.linspace(0.0, 12.0, 41)
    faint = relax(ExponentialRelaxation(1.0, 400.0, 1e-12, 10.0, 1.0), times)
    full = relax(FreeRelaxation(1.0, 400.0, 1e-12, 10.0, 1.0), times)
    assert float(jnp.max(jnp.abs(full.field - faint.field) / jnp.max(jnp.abs(full.field)))) < 1e-6


def test_derivatives_in_both_modes():
    point = jnp.array([1.1, 3.0, 0.2, 1.5, 0.7, 0.4])
    times = jnp.array([0.5, 2.0, 6.0])

    def eta(p):
        return relax(ExponentialRelaxation(*p), times).eta

    forward, reverse = jax.jit(lambda p: (jax.jacfwd(eta)(p), jax.jacrev(eta)(p)))(point)
    np.testing.assert_allclose(forward, reverse, rtol=1e-11, atol=1e-13)
    h = 1e-3
    shifted = [[eta(point.at[i].add(n * h)) for n in (-2, -1, 1, 2)] for i in range(6)]
    difference = jnp.stack([(f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h) for f in shifted], 1)
    np.testing.assert_allclose(forward, difference, atol=1e-9)  # h^4 times the fifth derivative


def test_derivative_by_time_is_the_rate():
    out = relax(ExponentialRelaxation(1.1, 3.0, 0.2, 1.5, 0.7, 0.4), TIMES)

    def eta(t):
        return relax(ExponentialRelaxation(1.1, 3.0, 0.2, 1.5, 0.7, 0.4), t).eta

    _, along = jax.jit(lambda t: jax.jvp(eta, (t,), (jnp.ones(33),)))(jnp.asarray(TIMES))
    # Every time shifted at once: each eta changes by its own rate; t = 0 stays where the integration begins.
    np.testing.assert_allclose(along[1:], out.rate[1:], rtol=1e-10)
