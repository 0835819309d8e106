"""Commands run inside the test process; they must not leave JAX configured for the tests that follow."""

import jax
import pytest


@pytest.fixture(autouse=True, scope="session")
def no_compilation_cache():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXALLOY_CACHE", "")
        yield


@pytest.fixture(autouse=True)
def default_device_as_before():
    before = jax.config.jax_default_device
    yield
    jax.config.update("jax_default_device", before)
