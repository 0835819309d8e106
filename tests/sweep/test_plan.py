"""Chunks cover every state once; lanes are sorted, and their neighbours do not depend on the number of devices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxalloy.numerics.checks import InputError
from jaxalloy.sweep import Plan, make_plan
from jaxalloy.sweep.plan import bytes_per_state, line_up


@pytest.fixture(scope="session")
def grid_of(liquid_with):
    """A configuration with so many points along its two axes."""

    def grid_of(kappa, epsilon):
        axes = {
            "kappa": {"linear": [1.0, 2.0], "points": kappa},
            "epsilon": {"linear": [-0.02, -0.01], "points": epsilon},
        }
        return liquid_with(axes=axes)

    return grid_of


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 700))
@settings(max_examples=60, deadline=None)
def test_every_state_is_in_one_chunk(grid_of, kappa, epsilon, chunk):
    plan = make_plan(grid_of(kappa, epsilon), chunk=chunk)
    covered = np.zeros(plan.shape, int)
    for index in range(plan.chunks):
        covered[plan.region(index)] += 1
    assert (covered == 1).all()
    assert np.prod(plan.tile) <= chunk
    assert sorted(plan.dearest_first()) == list(range(plan.chunks))


@given(st.integers(1, 60), st.integers(1, 16), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_lanes_are_sorted_dealt_out_and_found_again(grid_of, count, abreast, devices, seed):
    plan = Plan(grid_of(1, count), (1, count), min(abreast, count))
    values = {"epsilon": np.random.default_rng(seed).normal(size=count)}
    lineup = line_up(plan, 0, values["epsilon"], values, devices)
    lanes = lineup.values["epsilon"]
    assert lanes.shape == (plan.groups(devices), plan.abreast)
    assert len(lanes) % devices == 0
    np.testing.assert_array_equal(lanes.ravel()[lineup.back], values["epsilon"])
    # groups do not overlap in cost: the costs of any two are one below the other, but for the padding
    ordered = lanes[np.argsort(lanes[:, -1], kind="stable")]
    assert (np.diff(ordered.ravel()[(len(lanes) * plan.abreast - count) :]) >= 0).all()
    alone = line_up(plan, 0, values["epsilon"], values, 1).values["epsilon"]
    assert {tuple(group) for group in lanes} == {tuple(group) for group in alone}


def test_chunks_fit_the_memory(liquid_with):
    wide = liquid_with(options={"q": {"linear": [0.1, 4.0], "points": 2000}})
    little = make_plan(wide, memory=15_000_000)
    assert np.prod(little.tile) * bytes_per_state(wide) < 15_000_000
    assert little.chunks > make_plan(wide, memory=2_000_000_000).chunks
    assert bytes_per_state(wide) == 8 * 3 + 8 * 2000 + 1
    with pytest.raises(InputError, match="chunk = 0"):
        make_plan(wide, chunk=0)
