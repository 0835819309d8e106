import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jaxalloy.kinetics import Adaptive, BosonicRelaxation, DrivenRelaxation, FreeRelaxation, Outcome, relax

CHAOTIC = "C_bad_cavity_r28_chaos"
TIMES = np.linspace(0.0, 10.0, 41)  # 41 points as in the reference file: one compilation serves both


@pytest.mark.parametrize(("rtol", "target"), [(1e-11, 1e-8), (1e-12, 1e-9)])
def test_reference_trajectories(nonlinear_cases, rtol, target):
    # The targets are what rtol is documented to buy; chaos multiplies an error by about 10 up to t = 12.
    for case in nonlinear_cases:
        out = relax(case.system, case.times, Adaptive(rtol=rtol))
        assert out.converged
        assert out.solver == "dopri8"
        assert case.error(out.field) < (1e-7 if case.name == CHAOTIC else target), case.name
        total = np.array(case.entry["sum_sigma"])
        scale = np.abs(total).max()
        assert np.abs(np.sum(out.inversion, -1) - total).max() < 10 * target * scale, case.name
        final = np.abs(out.inversion[-1] - np.array(case.entry["sigma_final"])).max()
        assert final < 10 * target * scale, case.name


def test_default_tolerance_is_1e_11(cases):
    case = cases["B_curve3_depleted"]
    default, named = relax(case.system, case.times), relax(case.system, case.times, Adaptive(rtol=1e-11))
    assert np.array_equal(default.field, named.field)
    assert int(default.steps) == int(named.steps) > 100


def test_lossless_invariants(cases):
    one = relax(cases["B_lossfree_K1"].system, TIMES, Adaptive(rtol=1e-11))
    assert max(float(drift) for drift in one.invariants.drift.values()) < 1e-10
    rng = np.random.default_rng(3)
    many = FreeRelaxation(
        rng.uniform(0.5, 1.5, 8),
        rng.uniform(0, 2, 8),
        0.1 * rng.normal(size=8),
        0.0,
        jnp.inf,
        rng.normal(size=8),
    )
    out = relax(many, TIMES, Adaptive(rtol=1e-11))
    invariants = out.invariants
    for name, drift in invariants.drift.items():
        assert float(drift) < 1e-10 * max(1.0, float(jnp.max(jnp.abs(getattr(invariants, name))))), name
    assert invariants.bloch.shape == (41, 8)


def test_dephasing_alone_hands_half_the_inversion_to_the_field(cases):
    # N(t) + sum sigma/2 survives Gamma > 0 with t_sigma = infinity: N_inf = (1/2) sum sigma0 (physics.md 5.1).
    case = cases["B_Gamma_only_tsigma_inf"]
    out = relax(case.system, case.times, Adaptive(rtol=1e-11))
    assert float(out.invariants.drift["excitations"]) < 1e-9
    at_end = relax(case.system, np.linspace(0.0, 60.0, 41), Adaptive(rtol=1e-11))
    assert float(at_end.quanta[-1]) == pytest.approx(2.0, rel=1e-8)  # 60/Gamma: e^{-60} is left of the approach


@pytest.fixture(scope="module")
def common_states():
    rng = np.random.default_rng(5)
    seeds = 1e-2 * (rng.normal(size=8) + 1j * rng.normal(size=8))
    common = {"coupling": 0.9, "dephasing": 1.3, "population_time": 2.0, "detuning": 0.4}
    own = {"inversion": rng.uniform(0, 3, 8), "polarisation": seeds}
    driven = {"field_damping": 0.2, "commutator": 0.7, "pump": rng.uniform(0, 2, 8)}
    return DrivenRelaxation(**common, **own, **driven)


def test_common_rates_collapse_exactly(common_states):
    method = Adaptive(rtol=1e-12)
    collapsed = relax(common_states, TIMES, method)
    spread = jax.tree.map(lambda x: x, common_states)
    # Traced arrays over k have no known values, so nothing collapses: the same system state by state.
    as_arrays = {name: jnp.full(8, getattr(spread, name)) for name in ("coupling", "dephasing", "detuning")}

    @jax.jit
    def by_states(rates):
        system = DrivenRelaxation(
            rates["coupling"],
            spread.inversion,
            spread.polarisation,
            rates["dephasing"],
            spread.population_time,
            spread.field_damping,
            spread.commutator,
            spread.pump,
            rates["detuning"],
        )
        return relax(system, jnp.asarray(TIMES), method)

    full = by_states(as_arrays)
    for name in ("field", "polarisation", "inversion"):
        a, b = getattr(collapsed, name), getattr(full, name)
        assert a.shape == b.shape
        assert float(jnp.max(jnp.abs(a - b))) < 1e-9 * float(jnp.max(jnp.abs(b))), name
    assert not np.array_equal(collapsed.field, full.field)  # two routes, not one


def _driven_field(p, times, method):
    system = DrivenRelaxation(p[0], p[1], p[2] + 1j * p[3], p[4], p[5], p[6], p[7], p[8], p[9])
    field = relax(system, times, method).field
    return jnp.concatenate([field.real, field.imag])


def test_derivatives_by_every_parameter():
    point = jnp.array([1.1, 2.0, 0.05, 0.02, 0.8, 1.5, 0.3, 0.9, 1.7, 0.6])
    times = jnp.linspace(0.0, 4.0, 41)
    weight = jnp.cos(jnp.arange(82.0))
    forward, reverse = Adaptive(rtol=1e-12, derivative="forward"), Adaptive(rtol=1e-12)
    jacobian = jax.jit(jax.jacfwd(lambda p: _driven_field(p, times, forward)))(point)
    gradient = jax.jit(jax.grad(lambda p: weight @ _driven_field(p, times, reverse)))(point)
    np.testing.assert_allclose(weight @ jacobian, gradient, rtol=1e-8, atol=1e-9)
    h = 1e-3
    field = [[_driven_field(point.at[i].add(n * h), times, reverse) for n in (-2, -1, 1, 2)] for i in range(10)]
    difference = [(f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h) for f in field]
    # Fourth order: h^4 = 1e-12 times the fifth derivative, and the noise of the solver, 1e-12/h.
    np.testing.assert_allclose(jacobian, jnp.stack(difference, 1), rtol=1e-6, atol=1e-7)


def test_stiff_request_takes_kvaerno5_and_agrees_with_radau():
    rate, gain = 2.0e5, 4.0
    system = FreeRelaxation(1.0, gain * rate, 1.0, rate, 1.0)
    times = np.array([0.25, 0.6])
    out = relax(system, times, Adaptive(rtol=1e-8))
    assert out.solver == "kvaerno5"
    assert out.converged

    def real_form(t, y):  # b = -i beta, d real
        beta, d, s = y
        return [d, -rate * d + s * beta, -s - 4 * d * beta]

    peer = solve_ivp(real_form, (0, 0.6), [0.0, 1.0, gain * rate], "Radau", times, rtol=1e-10, atol=1e-12)
    # Kvaerno5 at rtol 1e-8 and Radau at 1e-10 both leave about 1e-7 over 1e3 steps.
    np.testing.assert_allclose(-out.field.imag, peer.y[0], rtol=3e-6)


def test_eta_and_rate(cases):
    case = cases["B_negative_inversion"]
    out = relax(case.system, case.times)
    modulus = np.abs(case.field)
    np.testing.assert_allclose(out.eta, modulus / modulus[-1], rtol=1e-6)
    h = 1e-3
    centres = np.linspace(0.5, 6.5, 13)
    triples = (centres[:, None] + np.array([[-h, 0.0, h]])).ravel()
    out = relax(case.system, np.concatenate([[0.0], triples, [10.0]]))
    eta = np.asarray(out.eta)[1:-1].reshape(-1, 3)
    slope = (eta[:, 2] - eta[:, 0]) / (2 * h)
    # The central difference leaves h^2/6 times the third derivative, 1e-6 here.
    np.testing.assert_allclose(out.rate[2:-1:3], slope, atol=1e-5 * np.abs(slope).max())
    assert float(out.rate[0]) == pytest.approx(1.0 / float(jnp.abs(out.field[-1])), rel=1e-12)


def test_too_few_steps_is_a_status_without_nan(cases):
    case = cases["C_bad_cavity_r28_chaos"]
    out = relax(case.system, case.times, Adaptive(rtol=1e-11, max_steps=60))
    assert out.result == Outcome.max_steps_reached
    assert not out.converged
    assert "max_steps" in Outcome[out.result]
    assert bool(out.reached[0])
    assert not bool(out.reached[-1])
    for value in (out.field, out.eta, out.rate, out.polarisation, out.inversion):
        assert bool(jnp.all(jnp.isfinite(value)))
    assert np.array_equal(out.field[-1], out.field[int(out.reached.sum()) - 1])


def test_single_precision_stays_single():
    single = [np.float32(x) for x in (1.0, 4.0, 0.01, 1.0, 2.0, 0.0)]
    out = relax(FreeRelaxation(*single), np.linspace(0, 8, 9, dtype=np.float32))
    assert out.field.dtype == jnp.complex64
    assert out.inversion.dtype == jnp.float32
    double = relax(FreeRelaxation(1.0, 4.0, float(np.float32(0.01)), 1.0, 2.0), np.linspace(0, 8, 41))
    # rtol 1e-6 in single precision; the seed's error becomes one of the delay, a few times larger.
    assert float(jnp.max(jnp.abs(out.field - double.field[::5]))) < 1e-4 * float(jnp.max(jnp.abs(double.field)))


def _bosonic_peer(system, times):
    a, m, k = float(system.bare_energy), float(system.mixing), float(system.field_damping)
    g, c, rate = float(system.dephasing), float(system.coupling), 1.0 / float(system.population_time)
    w = float(system.excitation_energy)

    def derivative(t, y):
        b, p, d, s = y
        return [
            -k * b - 1j * ((a + m) * b + m * np.conj(p)) - 1j * c * d,
            -k * p - 1j * ((a + m) * p + m * np.conj(b)),
            -(g + 1j * w) * d + 1j * c * s * b,
            -rate * s - 4 * c * (d * np.conj(b)).imag,
        ]

    start = np.array([0, 0, complex(system.polarisation), complex(system.inversion)])
    return solve_ivp(derivative, (0, times[-1]), start, "DOP853", times, rtol=1e-12, atol=1e-14).y


@pytest.fixture(scope="module")
def bosonic():
    return BosonicRelaxation(
        concentration=0.5,
        ordering_energy=-16.0,  # M = -1, M/A = -0.05
        bare_energy=20.0,
        coupling=0.5,
        inversion=8.0,
        polarisation=0.01,
        dephasing=0.3,
        population_time=6.0,
    )


def test_bosonic_system_against_scipy_and_its_secular_form(bosonic):
    out = relax(bosonic, TIMES, Adaptive(rtol=1e-11))
    peer = _bosonic_peer(bosonic, TIMES)
    scale = np.abs(peer[0]).max()
    assert np.abs(out.field - peer[0]).max() < 1e-7 * scale
    assert np.abs(out.partner - peer[1]).max() < 1e-7 * scale
    secular = bosonic.secular()
    slow = relax(secular, TIMES, Adaptive(rtol=1e-11))
    u = float(secular.coupling / bosonic.coupling)
    away = np.abs(np.abs(peer[0]) - u * np.abs(slow.field)).max()
    # What EM 9 drops is of second order in M/A = 0.05 and in the rates over 2E = 40.
    assert away < 1e-4 * scale
    printed = BosonicRelaxation(0.5, -64.0, 20.0, 0.5, 8.0, 0.01, 0.3, 6.0, transition_energy=16.0)
    shifted = relax(printed, TIMES, Adaptive(rtol=1e-11))
    followed = relax(printed.secular(), TIMES, Adaptive(rtol=1e-11))
    modulus = np.abs(shifted.field)
    # EM 9's printed resonance, A + M, lies off sqrt(A^2 + 2AM) at M/A = -0.2; the secular system knows.
    assert float(printed.secular().detuning) == pytest.approx(16.0 - np.sqrt(240.0))
    u = float(printed.secular().coupling / printed.coupling)
    assert np.abs(modulus - u * np.abs(followed.field)).max() < 0.01 * modulus.max()


def test_bosonic_invariants_without_losses(bosonic):
    lossless = BosonicRelaxation(0.5, -16.0, 20.0, 0.5, 8.0, 0.01, 0.0, jnp.inf)
    drift = relax(lossless, TIMES, Adaptive(rtol=1e-11)).invariants.drift
    # Sizes 4, 64 and 80; rtol 1e-11 over 700 steps of a carrier of 19 per unit time.
    assert float(drift["excitations"]) < 1e-9
    assert float(drift["bloch"]) < 1e-8
    assert float(drift["energy"]) < 1e-8
