import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.kinetics import (
    Adaptive,
    FreeRelaxation,
    RelaxationNetwork,
    ensemble_order,
    relax,
    relax_network,
    stretching,
)
from jaxalloy.numerics.checks import InputError, NoResultError

TIMES = np.linspace(0.0, 10.0, 41)


def test_one_transition_is_free_relaxation():
    network = RelaxationNetwork(((0, 1),), [3.0, 0.5], 1.1, 0.8, 4.0, 0.01 + 0.02j)
    out = relax_network(network, TIMES, Adaptive(rtol=1e-12))
    single = relax(FreeRelaxation(1.1, 2.5, 0.01 + 0.02j, 0.8, 4.0), TIMES, Adaptive(rtol=1e-12))
    assert bool(out.converged)
    np.testing.assert_allclose(out.fields[:, 0], single.field, atol=1e-10)
    np.testing.assert_allclose(out.populations[:, 0] - out.populations[:, 1], single.inversion[:, 0], atol=1e-10)


@pytest.fixture(scope="module")
def chains():
    rates = {"coupling": 1.0, "dephasing": 1.0, "population_time": np.inf, "polarisation": 1e-3}
    full = [9.0, 0.0, 0.0, 0.0]
    out = []
    for coupling in (0.3, 0.0):
        steps = np.array([1.0, 1.0, 1.0, coupling, coupling])
        network = RelaxationNetwork.chain(4, direct=True, populations=full, **{**rates, "coupling": steps})
        out.append(relax_network(network, 3 * TIMES, Adaptive(rtol=1e-11)))
    return out


def test_chains_name_their_transitions():
    rates = {"coupling": 1.0, "dephasing": 1.0, "population_time": 1.0, "polarisation": 0.1}
    gradual = RelaxationNetwork.chain(4, direct=False, populations=[1.0, 0.0, 0.0, 0.0], **rates)
    assert gradual.transitions == ((0, 1), (1, 2), (2, 3))
    direct = RelaxationNetwork.chain(4, direct=True, populations=[1.0, 0.0, 0.0, 0.0], **rates)
    assert direct.transitions == ((0, 1), (1, 2), (2, 3), (0, 3), (1, 3))


def test_populations_are_conserved_and_counted_by_the_quanta(chains):
    for out in chains:
        np.testing.assert_allclose(jnp.sum(out.populations, 1), 9.0, rtol=1e-9)
    # Without incoherent decay every coherent transition leaves one quantum: zone 0 empties by N_01 (+ N_03).
    direct, gradual = chains
    np.testing.assert_allclose(9.0 - gradual.populations[:, 0], gradual.quanta[:, 0], atol=1e-8)
    np.testing.assert_allclose(9.0 - direct.populations[:, 0], direct.quanta[:, 0] + direct.quanta[:, 3], atol=1e-8)


def test_zones_fill_one_after_another(chains):
    _, gradual = chains
    first_half = [int(jnp.argmax(gradual.quanta[:, e] > 0.5 * gradual.quanta[-1, e])) for e in range(3)]
    assert first_half[0] < first_half[1] < first_half[2]


@pytest.mark.parametrize("rtol", [1e-8, 1e-12])
def test_a_zone_emptied_beyond_nothing_is_refused(rtol):
    """Two swings out of zone 0 at once: the equations do it, whatever the tolerance, and dephasing mends it."""
    shared = {"coupling": 1.0, "population_time": np.inf, "polarisation": 1e-3, "populations": [9.0, 0.0, 0.0, 0.0]}
    swinging = RelaxationNetwork.chain(4, direct=True, dephasing=1.0, **shared)
    with pytest.raises(NoResultError, match=r"zone 0 is emptied to -0\.7\d+ .* more dephasing"):
        relax_network(swinging, np.linspace(0.0, 30.0, 601), Adaptive(rtol=rtol))
    damped = relax_network(RelaxationNetwork.chain(4, direct=True, dephasing=9.0, **shared), 10 * TIMES)
    assert float(jnp.min(damped.populations)) > -1e-6  # |d0|^2, which empty zones cannot hold
    np.testing.assert_allclose(damped.populations[-1], 2.25, rtol=0.05)


def test_stretching_recovers_a_stretched_exponential():
    t = np.geomspace(1e-3, 30.0, 60)
    found = stretching(t, 1 - np.exp(-((t / 1.7) ** 0.6)))
    assert float(found.exponent) == pytest.approx(0.6, rel=1e-10)
    assert float(found.time) == pytest.approx(1.7, rel=1e-10)
    assert float(found.deviation) < 1e-12
    with pytest.raises(InputError, match="points"):
        stretching(t[-4:], 1 - np.exp(-t[-4:]))


def test_ensemble_adds_squares_by_size():
    eta = jnp.array([[0.0, 1.0], [0.5, 1.0]])
    np.testing.assert_allclose(ensemble_order(eta, [1.0, 3.0]), [0.75 * 0.25, 1.0])
    with pytest.raises(InputError, match="sizes"):
        ensemble_order(eta, [1.0, 0.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"transitions": ((0, 2),)}, "zones are numbered 0 to 1"),
        ({"transitions": ()}, "at least one"),
        ({"coupling": [1.0, 2.0]}, "one per transition"),
        ({"polarisation": 0.0}, "seed"),
        ({"dephasing": -1.0}, "dephasing = -1"),
        ({"populations": [1.0, -1.0]}, "populations = -1"),
    ],
)
def test_bad_networks(changes, message):
    good = {"transitions": ((0, 1),), "populations": [1.0, 0.0], "coupling": 1.0, "dephasing": 1.0}
    with pytest.raises(InputError, match=message):
        RelaxationNetwork(**{**good, "population_time": 1.0, "polarisation": 0.1, **changes})
