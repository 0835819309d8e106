"""The kinetics against SciPy's integrators and special functions, and mpmath's hypergeometric function."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import curve_fit, fsolve
from scipy.special import ellipj, ellipk, ive, kve

from jaxalloy.fitting.relaxation import AnnealingCurve, fit_model, relaxation_model
from jaxalloy.kinetics import (
    Adaptive,
    DrivenRelaxation,
    ExponentialRelaxation,
    FreeRelaxation,
    driven_order,
    lossless_field,
    relax,
    relax_many,
    stability,
    stationary,
)

TIMES = np.linspace(0.0, 8.0, 41)


def by_scipy(solver, times, coupling, inversion, seeds, dephasing, t_sigma, detuning, kappa=0.0, alpha=1.0, pump=0.0):
    """b of EM Eqs. 9 and 15 in complex form, as physics.md writes them."""
    k = len(inversion)

    def rate(_, y):
        b, d, sigma = y[0], y[1 : 1 + k], y[1 + k :]
        return np.concatenate(
            [
                [-kappa * b - 1j * alpha * np.sum(coupling * d)],
                -(dephasing + 1j * detuning) * d + 1j * coupling * sigma * b,
                (pump - sigma) / t_sigma - 4 * coupling * (d * np.conj(b)).imag,
            ]
        )

    start = np.concatenate([[0.0], seeds, inversion]).astype(complex)
    return solve_ivp(rate, (0, times[-1]), start, solver, times, rtol=1e-12, atol=1e-15).y[0]


@pytest.fixture(scope="module")
def lanes():
    """Three systems of six unequal states; every array (3, 6)."""
    rng = np.random.default_rng(21)
    shape = (3, 6)
    return {
        "coupling": rng.uniform(0.5, 1.5, shape),
        "inversion": rng.uniform(0.5, 6.0, shape),
        "seeds": 1e-3 * (rng.normal(size=shape) + 1j * rng.normal(size=shape)),
        "dephasing": rng.uniform(0.2, 2.0, shape),
        "t_sigma": rng.uniform(1.0, 6.0, shape),
        "detuning": rng.normal(size=shape),
    }


def test_free_relaxation_of_a_batch(lanes):
    systems = jax.vmap(FreeRelaxation)(*(jnp.asarray(x) for x in lanes.values()))
    out = relax_many(systems, TIMES)
    assert bool(jnp.all(out.converged))
    for lane in range(3):
        peer = by_scipy("DOP853", TIMES, *(x[lane] for x in lanes.values()))
        # DOP853 at 1e-12 per step is good for 1e-10; relax_many is documented to give 1e-8 of max|b|
        assert np.abs(out.field[lane] - peer).max() < 1e-8 * np.abs(peer).max()


@pytest.mark.parametrize("solver", ["DOP853", "LSODA"])
def test_driven_relaxation(lanes, solver):
    one = {name: x[0] for name, x in lanes.items()}
    driven = {"kappa": 0.7, "alpha": 0.8, "pump": np.linspace(1.0, 4.0, 6)}
    first = (one[name] for name in ("coupling", "inversion", "seeds", "dephasing", "t_sigma"))
    system = DrivenRelaxation(*first, 0.7, 0.8, driven["pump"], one["detuning"])
    out = relax(system, TIMES)
    if solver == "LSODA":  # it knows no complex numbers
        k = 6

        def rate(_, y):
            b, d, s = y[0] + 1j * y[1], y[2 : 2 + k] + 1j * y[2 + k : 2 + 2 * k], y[2 + 2 * k :]
            db = -0.7 * b - 0.8j * np.sum(one["coupling"] * d)
            dd = -(one["dephasing"] + 1j * one["detuning"]) * d + 1j * one["coupling"] * s * b
            ds = (driven["pump"] - s) / one["t_sigma"] - 4 * one["coupling"] * (d * np.conj(b)).imag
            return np.concatenate([[db.real, db.imag], dd.real, dd.imag, ds])

        start = np.concatenate([[0, 0], one["seeds"].real, one["seeds"].imag, one["inversion"]])
        y = solve_ivp(rate, (0, 8), start, "LSODA", TIMES, rtol=1e-12, atol=1e-14).y
        peer, target = y[0] + 1j * y[1], 1e-7  # LSODA's errors add up over thousands of short steps
    else:
        peer, target = by_scipy(solver, TIMES, *one.values(), **driven), 1e-8
    assert np.abs(out.field - peer).max() < target * np.abs(peer).max()


def test_resonant_condensate_is_the_lorenz_system():
    """Haken: s = kappa/Gamma, beta = 1/(Gamma t_sigma), r = pump over threshold; x ~ b, y ~ d, z the inversion used."""
    s, r, beta = 10.0, 28.0, 8.0 / 3.0
    x0, y0, z0 = 1.0, 2.0, 5.0

    def lorenz(_, v):
        x, y, z = v
        return [s * (y - x), x * (r - z) - y, x * y - beta * z]

    times = np.linspace(0.0, 3.0, 41)
    peer = solve_ivp(lorenz, (0, 3), [x0, y0, z0], "DOP853", times, rtol=1e-12, atol=1e-12).y
    b = x0 / 2
    system = DrivenRelaxation(1.0, s * (r - z0), 1j * s * y0 / 2, 1.0, 1 / beta, s, 1.0, s * r, field=b)
    out = relax(system, times)
    # x = 2 b, y = 2 Im d/s, z = r - sigma/s: the three equations of (MB) become Lorenz's term by term
    np.testing.assert_allclose(2 * out.field.real, peer[0], atol=1e-8 * np.abs(peer[0]).max())
    np.testing.assert_allclose(2 * out.polarisation[:, 0].imag / s, peer[1], atol=1e-8 * np.abs(peer[1]).max())
    np.testing.assert_allclose(r - out.inversion[:, 0] / s, peer[2], atol=1e-8 * np.abs(peer[2]).max())
    assert float(stationary(system).quanta) == pytest.approx(beta * (r - 1) / 4, rel=1e-12)
    assert float(stability(system).boundary) == pytest.approx(s * (s + beta + 3) / (s - beta - 1), rel=1e-12)


def test_stationary_state_by_a_general_root_finder(lanes):
    one = {name: x[1] for name, x in lanes.items()}
    pump = np.linspace(2.0, 6.0, 6)
    c, g, t, delta = one["coupling"], one["dephasing"], one["t_sigma"], one["detuning"]
    system = DrivenRelaxation(c, pump, 1e-3, g, t, 0.7, 0.8, pump, delta)
    found = stationary(system)

    def rest(unknown):
        """(MB) at rest with b = sqrt(N) real, in the frame turning with it."""
        root, omega, d, sigma = unknown[0], unknown[1], unknown[2:8] + 1j * unknown[8:14], unknown[14:]
        field = -0.7 * root + 1j * omega * root - 0.8j * np.sum(c * d)
        dipole = -(g + 1j * (delta - omega)) * d + 1j * c * sigma * root
        return np.concatenate(
            [[field.real, field.imag], dipole.real, dipole.imag, (pump - sigma) / t - 4 * c * d.imag * root]
        )

    guess = 1.1 * np.sqrt(float(found.quanta))
    start = np.concatenate([[guess, 0.9 * float(found.frequency)], np.zeros(6), np.full(6, 0.3), 0.5 * pump])
    solution, _, ended, _ = fsolve(rest, start, xtol=1e-13, full_output=True)
    assert ended == 1
    assert solution[0] ** 2 == pytest.approx(float(found.quanta), rel=1e-9)
    assert solution[1] == pytest.approx(float(found.frequency), rel=1e-9)
    np.testing.assert_allclose(found.inversion, solution[14:], rtol=1e-9)


def test_far_above_threshold_the_order_follows_em_19_up_to_a_quarter():
    """EM 19 for equal rates: eta'^2 ~ sigma^p n (1 - 2c + eta^2/2)/N; the exact factor is 1/4."""
    pump, pairs, c, order, quanta = 0.9, 1e8, 0.1, 0.3, 1e9
    alpha = 1 - 2 * c + order**2 / 2
    found = driven_order(pump, pairs, c, order, 1.0, 1.0, 1.0, 1.0, quanta)
    assert float(found) == pytest.approx(0.25 * pump * pairs * alpha / quanta, rel=1e-7)


@pytest.mark.parametrize("seed", [0.05, 0.3])
def test_lossless_pulse_by_jacobi_functions(seed):
    times = np.linspace(0.0, 20.0, 60)
    found = np.abs(lossless_field(FreeRelaxation(0.8, 3.0, seed, 0.0, jnp.inf), times))
    length = np.hypot(3.0, 2 * seed)
    m = np.cos(0.5 * np.arctan2(2 * seed, 3.0)) ** 2
    sn, _, dn, _ = ellipj(0.8 * np.sqrt(length) * times, m)
    # SciPy's ellipj loses a few digits after several periods 4K
    assert 0.8 * np.sqrt(length) * times[-1] > 4 * ellipk(m)
    np.testing.assert_allclose(found, np.sqrt(length * m * (1 - m)) * np.abs(sn / dn), atol=1e-9)


@pytest.mark.parametrize(("x", "nu"), [(1.0, 10.5), (3.0, 1.25), (20.0, 10.5)])
def test_closed_form_by_bessel_functions_of_scipy(x, nu):
    out = relax(ExponentialRelaxation(1.0, x**2, 1.0, nu, 1.0), TIMES)
    z0, z = 2 * x, 2 * x * np.exp(-TIMES / 2)
    grow = ive(nu, z0) * kve(nu, z) * np.exp(z0 - z) - ive(nu, z) * kve(nu, z0) * np.exp(z - z0)
    peer = 2 * np.exp(-nu * TIMES / 2) * grow
    # ive and kve are good for 1e-13 or so; their difference is divided by its largest value
    assert np.abs(np.abs(out.field) - np.abs(peer)).max() < 1e-11 * np.abs(peer).max()


@pytest.mark.parametrize(
    ("gain", "loss"), [(1.0, 1.25), (-25.0, 1.5), (-160_000.0, 2.25), (2500.0, 0.75 + 12j), (-400.0, 3.25 - 5j)]
)
def test_closed_form_by_the_hypergeometric_function(gain, loss):
    """Two solutions 0F1(; 1 - nu; x0 w) and w^nu 0F1(; 1 + nu; x0 w), w = e^{-t}, fitted to b(0) = 0, b'(0) = -i."""
    loss = complex(loss)
    out = relax(ExponentialRelaxation(1.0, gain, 1.0, loss.real, 1.0, loss.imag), TIMES)
    top = float(jnp.max(out.log_modulus))
    with mpmath.workdps(400 if abs(gain) > 1e4 else 80):
        nu = mpmath.mpc(loss)

        def pair(w):
            first, second = mpmath.hyp0f1(1 - nu, gain * w), w**nu * mpmath.hyp0f1(1 + nu, gain * w)
            return first, second

        u0, v0 = pair(mpmath.mpf(1))
        # Wronskian by w: u v' - u' v = nu w^(nu - 1); db/dt = -w db/dw
        for i in (1, 9, 40):
            u, v = pair(mpmath.exp(-mpmath.mpf(TIMES[i])))
            expected = -1j * (u * v0 - v * u0) / nu
            found = complex(out.field_mantissa[i] * np.exp(out.log_scale[i] - top))
            assert abs(found - complex(expected * mpmath.exp(-top))) < 1e-11


def test_fit_is_that_of_curve_fit():
    rng, times = np.random.default_rng(8), np.linspace(0.5, 60.0, 120)

    def kww(t, tau, beta, start, change):
        return start + change * -np.expm1(-((t / tau) ** beta))

    values = kww(times, 12.0, 0.7, 2.0, 3.0) + 0.02 * rng.normal(size=120)
    fit = fit_model(relaxation_model("kww"), AnnealingCurve(times, values))
    peer, covariance = curve_fit(kww, times, values, p0=(10.0, 1.0, 2.0, 3.0), xtol=1e-12, ftol=1e-12)
    for name, value, sd in zip(("tau", "beta", "start", "change"), peer, np.sqrt(np.diag(covariance)), strict=True):
        assert fit.values[name] == pytest.approx(value, abs=1e-3 * sd), name  # both stop at 1e-7 of the sum of squares
        assert fit.errors[name] == pytest.approx(sd, rel=1e-3), name


def test_batch_by_runge_kutta_against_a_third_integrator(lanes):
    systems = jax.vmap(FreeRelaxation)(*(jnp.asarray(x) for x in lanes.values()))
    peer = by_scipy("RK45", TIMES[:6], *(x[2] for x in lanes.values()))
    out = relax_many(systems, TIMES[:6], Adaptive(rtol=1e-11))
    assert np.abs(out.field[2] - peer).max() < 1e-8 * np.abs(peer).max()
