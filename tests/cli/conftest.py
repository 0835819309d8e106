"""Commands run inside the test process; they must not leave JAX configured for the tests that follow."""

import jax
import pytest

from jaxalloy.numerics import programs


@pytest.fixture(autouse=True, scope="session")
def no_compilation_cache():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXALLOY_CACHE", "")
        yield


@pytest.fixture(autouse=True, scope="module")
def configuration_as_before():
    names = ("jax_default_device", "jax_disable_most_optimizations")
    before = {name: jax.config.values[name] for name in names}
    yield
    programs.run_once(False)
    for name, value in before.items():
        jax.config.update(name, value)
