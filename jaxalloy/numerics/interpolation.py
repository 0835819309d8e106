"""Interpolation of tables by interpax, which relies on rank promotion that this package does not allow itself."""

import jax

from jaxalloy._typing import Array, ArrayLike, Float, Real


def interpolate(
    x: Real[ArrayLike, "*shape"], knots: Real[ArrayLike, " n"], values: Real[ArrayLike, " n"], method: str = "cubic"
) -> Float[Array, "*shape"]:
    """Values between knots; method: as of `interpax.interp1d` ("cubic", "monotonic", ...)."""
    import interpax  # slow to import

    with jax.numpy_rank_promotion("allow"):
        return interpax.interp1d(1.0 * jax.numpy.asarray(x), jax.numpy.asarray(knots), values, method=method)
