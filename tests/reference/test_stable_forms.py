"""The entire functions behind the closed forms, against mpmath."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np

from jaxalloy.numerics.special import phi1, stumpff

X = np.concatenate([[0.0], np.geomspace(1e-8, 300.0, 61), [1.999999, 2.0, 2.000001, 0.999999, 1.0]])


def exact(function, x, at_zero):
    with mp.workdps(60):
        return np.array([at_zero if value == 0 else float(function(mp.mpf(float(value)))) for value in x])


STUMPFF = [
    (lambda x: mp.sin(x) / x, 1.0),
    (lambda x: (1 - mp.cos(x)) / x**2, 1 / 2),
    (lambda x: (x - mp.sin(x)) / x**3, 1 / 6),
    (lambda x: (x**2 / 2 - 1 + mp.cos(x)) / x**4, 1 / 24),
]


def test_stumpff_functions():
    for dtype, tolerance in ((np.float64, 3e-15), (np.float32, 1e-6)):
        x = X.astype(dtype)
        for found, (function, at_zero) in zip(stumpff(x), STUMPFF, strict=True):
            assert found.dtype == dtype
            expected = exact(function, x, at_zero)
            # c_1 and c_2 have zeros, where sin x is known to a rounding of x only.
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance / 3)


def test_phi1_and_its_derivatives():
    value, slope, curvature = phi1, jax.grad(phi1), jax.grad(jax.grad(phi1))
    expected = [
        (lambda z: (1 - mp.exp(-z)) / z, 1.0),
        (lambda z: (mp.exp(-z) * (1 + z) - 1) / z**2, -1 / 2),
        (lambda z: (2 - mp.exp(-z) * (z**2 + 2 * z + 2)) / z**3, 1 / 3),
    ]
    for found, (function, at_zero) in zip((value, slope, curvature), expected, strict=True):
        # The second derivative of the quotient just above z = 1 loses two digits.
        values = jax.vmap(found)(jnp.asarray(X))
        np.testing.assert_allclose(values, exact(function, X, at_zero), rtol=1e-13)
