import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.kinetics import (
    Adaptive,
    BosonicRelaxation,
    DrivenRelaxation,
    ExponentialRelaxation,
    FreeRelaxation,
    critical_gain,
    lossless_field,
    relax,
    weak_gain_field,
)
from jaxalloy.numerics.checks import InputError

GOOD = {"coupling": 1.0, "inversion": 4.0, "polarisation": 0.01, "dephasing": 1.0, "population_time": 2.0}
TIMES = np.array([0.0, 1.0, 2.0])


def _free(**changes):
    return FreeRelaxation(**{**GOOD, **changes})


def _driven(**changes):
    return DrivenRelaxation(**{**GOOD, "field_damping": 1.0, "commutator": 1.0, "pump": 2.0, **changes})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: relax(_free(polarisation=0.0), TIMES), "give a seed"),
        (lambda: relax(_driven(polarisation=[0.0, 0.0]), TIMES), "give a seed"),
        (lambda: relax(ExponentialRelaxation(1.0, 4.0, 0.0, 1.0, 1.0), TIMES), "give a seed"),
        (lambda: _free(pairs=3.0), "inversion"),
        (lambda: _free(pairs=4.0), "raise `pairs`"),
        (lambda: _driven(pairs=5.0, pump=6.0), "pairs"),
        (lambda: _free(pairs=-1.0), "pairs = -1"),
        (lambda: _free(dephasing=-0.5), "dephasing = -0.5"),
        (lambda: _free(dephasing=[1.0, np.nan]), "dephasing = nan"),
        (lambda: _free(population_time=0.0), "population_time = 0"),
        (lambda: _free(inversion=np.inf), "inversion = inf"),
        (lambda: _free(coupling=1.0 + 2.0j), "complex"),
        (lambda: _driven(field_damping=-1.0), "field_damping = -1"),
        (lambda: _driven(field_damping=[1.0, 2.0]), "give a scalar"),
        (lambda: _driven(commutator=0.0), "commutator = 0"),
        (lambda: _free(inversion=[1.0, 2.0], detuning=[0.0, 1.0, 2.0]), "inversion: 2, detuning: 3"),
        (lambda: _free(inversion=np.ones((2, 2))), "2 axes"),
        (lambda: _driven(pump=[1.0, 2.0], inversion=[1.0, 2.0, 3.0]), "different"),
        (lambda: relax(ExponentialRelaxation(1.0, 4.0, 0.1, 0.0, 1.0), TIMES), "dephasing = 0"),
        (lambda: ExponentialRelaxation(1.0, 4.0, 0.1, 1.0, 0.0), "decay = 0"),
        (lambda: ExponentialRelaxation(1.0, [4.0, 1.0], 0.1, 1.0, 1.0), "sum over k"),
        (
            lambda: weak_gain_field(ExponentialRelaxation(1.0, 4.0, 0.1, 0.0, 1.0), TIMES),
            "dephasing or detuning",
        ),
        (lambda: lossless_field(_free(), TIMES), "integrate with relax"),
        (
            lambda: lossless_field(FreeRelaxation([1.0, 2.0], 1.0, 0.1, 0.0, np.inf), TIMES),
            "coupling differs",
        ),
        (lambda: critical_gain(0.0), "positive"),
        (lambda: relax(_free(), TIMES[::-1]), "times"),
        (lambda: relax(_free(), np.array([0.0, 1.0, 1.0])), "must increase"),
        (lambda: relax(_free(), np.array([-1.0, 1.0])), "starts at 0"),
        (lambda: relax(_free(), np.array([0.0])), "after 0"),
        (lambda: relax(_free(), np.array([0.0, np.nan])), "times = nan"),
        (lambda: Adaptive(rtol=0.0), "rtol"),
        (lambda: Adaptive(max_steps=0), "max_steps"),
        (lambda: BosonicRelaxation(0.5, -100.0, 5.0, 1.0, 1.0, 0.1, 1.0, 1.0), "orders by itself"),
        (lambda: BosonicRelaxation(1.5, 1.0, 5.0, 1.0, 1.0, 0.1, 1.0, 1.0), "concentration = 1.5"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_pairs_admit_what_they_carry():
    assert float(_free(pairs=400.0).pairs) == 400.0
    assert _free(inversion=[400.0, -400.0], pairs=jnp.array([401.0, 401.0])).inversion.shape == (2,)


def test_integers_are_numbers():
    assert jnp.issubdtype(FreeRelaxation(1, 4, 1, 1, 2).coupling.dtype, jnp.floating)
