import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.kinetics import (
    Adaptive,
    BosonicRelaxation,
    ExponentialRelaxation,
    FreeRelaxation,
    Outcome,
    Taylor,
    relax,
    relax_many,
)
from jaxalloy.kinetics.relax_many import require_batch
from jaxalloy.numerics.checks import InputError

TIMES = np.linspace(0.0, 8.0, 41)  # as many as in the other tests: one compilation


def _resonant(x, dephasing):
    return FreeRelaxation(1.0, x**2, 1e-4, dephasing, 1.0)


@pytest.fixture(scope="module")
def batch():
    """37 lanes of very different cost: no chunk divides them, and sorting reorders them all."""
    rng = np.random.default_rng(11)
    return jax.vmap(_resonant)(rng.uniform(0.5, 15.0, 37), rng.uniform(0.3, 8.0, 37))


@pytest.fixture(scope="module")
def taylor(batch):
    return relax_many(batch, TIMES, chunk=8)


@pytest.fixture(scope="module")
def inhomogeneous():
    rng = np.random.default_rng(12)
    seeds = 1e-3 * (rng.normal(size=(5, 8)) + 1j * rng.normal(size=(5, 8)))

    def lane(x, d, delta, gamma):
        return FreeRelaxation(1.0, x**2 / 8 * jnp.ones(8), d, gamma, 2.0, delta)

    return jax.vmap(lane)(rng.uniform(1, 9, 5), seeds, rng.normal(size=(5, 8)), rng.uniform(0.3, 3, (5, 8)))


def _paired(sigma):
    return FreeRelaxation(1.0, sigma * jnp.ones(3), 1e-3, 1.0, 1.0, pairs=2.5)


def _close(a, b, tolerance):
    scale = jnp.max(jnp.abs(b.field), -1, keepdims=True)
    assert float(jnp.max(jnp.abs(a.field - b.field) / scale)) < tolerance
    assert float(jnp.max(jnp.abs(a.inversion - b.inversion) / scale[..., None])) < tolerance * 100


def test_reference_trajectories(nonlinear_cases):
    # The same targets as for the Runge-Kutta integration (issue: 1e-8; chaos 1e-7).
    for case in nonlinear_cases:
        batch = jax.tree.map(lambda x: x[None], case.system)
        out = relax_many(batch, case.times)
        assert bool(out.converged[0])
        assert case.error(out.field[0]) < (1e-7 if case.name.endswith("chaos") else 1e-8), case.name


def test_every_lane_equals_its_own_integration(batch, taylor):
    assert bool(jnp.all(taylor.converged))
    assert taylor.field.shape == (37, 41)
    for lane in (0, 17, 36):
        alone = relax(jax.tree.map(lambda x, lane=lane: jnp.asarray(x)[lane], batch), TIMES, Adaptive(rtol=1e-12))
        _close(jax.tree.map(lambda x, lane=lane: x[lane], _arrays(taylor)), alone, 1e-9)


def _arrays(out):
    return jax.tree.map(lambda x: x, _Pair(out.field, out.inversion))


class _Pair:
    def __init__(self, field, inversion):
        self.field, self.inversion = field, inversion


jax.tree_util.register_pytree_node(_Pair, lambda p: ((p.field, p.inversion), None), lambda _, c: _Pair(*c))


@pytest.mark.parametrize("chunk", [37, 11])
def test_chunking_changes_nothing(batch, taylor, chunk):
    seen = []
    out = relax_many(batch, TIMES, chunk=chunk, progress=lambda done, total: seen.append((done, total)))
    _close(out, taylor, 1e-12)
    assert np.array_equal(out.steps, taylor.steps)
    assert seen[-1] == (37, 37)
    assert len(seen) == -(-37 // chunk)


def test_progress_bar(batch, capsys):
    relax_many(batch, TIMES, chunk=8, progress=True)
    bars = capsys.readouterr().err.split("\r")[1:]
    assert len(bars) == 5
    assert bars[0] == "[" + "#" * 6 + "." * 24 + "] 8/37"
    assert bars[-1] == "[" + "#" * 30 + "] 37/37\n"


def test_closed_forms_of_a_batch():
    """What `relax_many` points to for the exponential approximation."""
    gains = jnp.array([1.0, 9.0, 100.0])
    systems = jax.vmap(lambda g: ExponentialRelaxation(1.0, g, 1e-3, 2.0, 1.0))(gains)
    out = jax.vmap(lambda system: relax(system, TIMES))(systems)
    alone = relax(ExponentialRelaxation(1.0, 9.0, 1e-3, 2.0, 1.0), TIMES)
    np.testing.assert_allclose(out.field[1], alone.field, rtol=1e-12)
    assert bool(jnp.all(out.converged))


def test_steps_differ_by_lane(taylor):
    assert int(jnp.max(taylor.steps)) > 3 * int(jnp.min(taylor.steps))


def test_under_jit_nothing_changes(batch, taylor):
    method = Taylor(derivative="forward")
    field = jax.jit(lambda b: relax_many(b, jnp.asarray(TIMES), method, chunk=8).field)(batch)
    scale = jnp.max(jnp.abs(taylor.field), -1, keepdims=True)
    # A tracer cannot be seen to be resonant: the complex equations instead of the real ones.
    assert float(jnp.max(jnp.abs(field - taylor.field) / scale)) < 1e-9


def test_fixed_steps_and_their_status(batch, taylor):
    fixed = relax_many(batch, TIMES, Taylor(steps=16, rtol=1e-9), chunk=8)
    _close(jax.tree.map(lambda x: x, _Pair(fixed.field, fixed.inversion)), taylor, 1e-9)
    assert bool(jnp.all(fixed.converged))
    coarse = relax_many(batch, TIMES, Taylor(steps=1, rtol=1e-9), chunk=8)
    assert not bool(jnp.all(coarse.converged))
    long = coarse.result == Outcome.step_too_long
    assert bool(jnp.any(long))
    assert bool(jnp.all(jnp.isfinite(coarse.field)))


def test_status_per_lane_without_nan(batch, taylor):
    few = int(jnp.median(taylor.steps))
    out = relax_many(batch, TIMES, Taylor(max_steps=few), chunk=8)
    enough = taylor.steps <= few
    assert np.array_equal(out.converged, enough)
    assert np.array_equal(out.result == Outcome.max_steps_reached, ~enough)
    assert np.array_equal(out.reached[:, -1], enough)
    assert bool(jnp.all(jnp.isfinite(out.eta)))
    same = jnp.abs(out.field - taylor.field)[enough]
    assert float(jnp.max(same)) == 0.0


def test_states_with_detuning(inhomogeneous):
    out = relax_many(inhomogeneous, TIMES)
    peer = relax_many(inhomogeneous, TIMES, Adaptive(rtol=1e-12))
    assert bool(jnp.all(out.converged & peer.converged))
    assert peer.solver == "dopri8"
    _close(out, peer, 1e-9)
    excess = out.invariants.excitations - out.invariants.excitations[:, :1]
    assert excess.shape == (5, 41)


def test_common_rates_collapse_in_a_batch():
    rng = np.random.default_rng(13)
    seeds, start = 1e-2 * rng.normal(size=(8, 8)), rng.uniform(0, 2, (8, 8))

    def lane(s, d, gamma):
        return FreeRelaxation(0.9, s, d, gamma, 3.0, 0.3)

    gammas = rng.uniform(0.5, 2, 8)
    out = relax_many(jax.vmap(lane)(start, seeds, gammas), TIMES)
    assert out.polarisation.shape == (8, 41, 8)
    for i in (0, 5):
        alone = relax(lane(start[i], seeds[i], gammas[i]), TIMES, Adaptive(rtol=1e-12))
        assert float(jnp.max(jnp.abs(out.polarisation[i] - alone.polarisation))) < 1e-9
        assert float(jnp.max(jnp.abs(out.inversion[i] - alone.inversion))) < 1e-9


def test_gradient_through_the_batch():
    x, gamma = jnp.linspace(1.0, 6.0, 8), jnp.linspace(0.5, 4.0, 8)
    times = jnp.array([2.0, 4.0])
    # A short series and a wide tolerance keep the compilation of the adjoint quick; the derivative is that of the
    # steps taken, so it is checked against the same steps (fixed) and against forward mode.

    def total(x, gamma, method):
        return jnp.sum(relax_many(jax.vmap(_resonant)(x, gamma), times, method, chunk=8).quanta)

    adaptive = Taylor(rtol=1e-9, order=5)
    by_x, by_gamma = jax.jit(jax.grad(lambda x, g: total(x, g, adaptive), argnums=(0, 1)))(x, gamma)
    fixed = Taylor(rtol=1e-9, order=5, steps=200)
    forward = jax.jit(lambda x: jax.jvp(lambda g: total(x, g, fixed), (gamma,), (jnp.ones(8),)))
    _, along = forward(x)
    assert float(jnp.sum(by_gamma)) == pytest.approx(float(along), rel=1e-6)
    h, direction = 1e-4, jnp.cos(jnp.arange(8.0))
    difference = (forward(x + h * direction)[0] - forward(x - h * direction)[0]) / (2 * h)
    assert float(by_x @ direction) == pytest.approx(float(difference), rel=1e-6)


def test_sequence_of_systems_and_bosonic_batch():
    systems = [_resonant(2.0, g) for g in (1.0, 2.0, 3.0)]
    out = relax_many(systems, TIMES)
    np.testing.assert_allclose(out.field[1], relax(systems[1], TIMES, Adaptive(rtol=1e-12)).field, atol=1e-11)
    bosonic = [BosonicRelaxation(0.5, -4.0, 6.0, 0.5, 4.0, 0.01, g, 5.0) for g in (0.3, 0.6)]
    many = relax_many(bosonic, TIMES[:4], Adaptive(rtol=1e-8))
    assert many.partner.shape == (2, 4)
    assert bool(jnp.all(many.converged))
    with pytest.raises(InputError, match="Taylor"):
        relax_many(bosonic, TIMES, Taylor())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: relax_many([], TIMES), "at least one"),
        (
            lambda: relax_many([_resonant(2.0, 1.0), FreeRelaxation(1.0, [1.0, 2.0], 1e-3, 1.0, 1.0)], TIMES),
            "same shapes",
        ),
        (lambda: relax_many([_resonant(2.0, 1.0)], TIMES, chunk=0), "chunk"),
        (lambda: relax_many([FreeRelaxation(1.0, 1.0, s, 1.0, 1.0) for s in (1e-3, 0.0)], TIMES), "seed"),
        (
            lambda: relax_many(jax.vmap(_resonant)(jnp.ones(3), jnp.array([1.0, -1.0, 2.0])), TIMES),
            "dephasing = -1",
        ),
        (lambda: relax_many([_resonant(2.0, 1.0)], TIMES[::-1]), "times"),
        (lambda: relax_many(_resonant(2.0, 1.0), TIMES), "axis of lanes"),
        (lambda: require_batch(ExponentialRelaxation(1.0, 4.0, 1e-3, 1.0, 1.0)), "jax.vmap"),
        (lambda: relax_many(jax.vmap(_paired)(jnp.array([1.0, 2.0, 3.0])), TIMES), "pairs = 1.2"),
        (lambda: Taylor(order=2), "order"),
        (lambda: Taylor(steps=0), "steps"),
        (lambda: Taylor(rtol=-1.0), "rtol"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()


DEVICES = """
import jax, jax.numpy as jnp, numpy as np
from jaxalloy.kinetics import FreeRelaxation, Taylor, relax_many
assert jax.local_device_count() == 2
make = lambda x: FreeRelaxation(1.0, x**2, 1e-4, 1.0, 1.0)
x = jnp.linspace(1.0, 9.0, 21)
out = relax_many(jax.vmap(make)(x), np.linspace(0.0, 4.0, 5), Taylor(order=5))
np.save("{path}", np.asarray(out.field))
"""


def test_shared_out_over_devices(tmp_path):
    path = tmp_path / "field.npy"
    flags = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", DEVICES.format(path=path)], env=flags, check=True, cwd=os.getcwd())
    x = jnp.linspace(1.0, 9.0, 21)
    batch = jax.vmap(lambda x: FreeRelaxation(1.0, x**2, 1e-4, 1.0, 1.0))(x)
    here = relax_many(batch, np.linspace(0.0, 4.0, 5), Taylor(order=5))
    # Other chunks, other code for another width: rounding.
    assert np.abs(np.load(path) - here.field).max() < 1e-11 * np.abs(here.field).max()
