"""The Jacobi elliptic function that the lossless relaxation follows; JAX has none."""

import jax.numpy as jnp

from jaxalloy._typing import Array, Float

LANDEN_STEPS = 12
"""Enough for k' > 1e-150; the arithmetic-geometric mean converges quadratically."""


def jacobi_sd(u: Float[Array, "n"], k: Float[Array, ""], k_prime: Float[Array, ""]) -> Float[Array, "n"]:
    """sd(u | k^2) = sn/dn by descending Landen transformations.

    u: (n,). k, k': modulus and complementary modulus, (); both given, because 1 - k^2 loses k' near k = 1.
    Source: Abramowitz and Stegun 16.4; dn^2 = k'^2 + k^2 cn^2 keeps its digits where dn is small.
    """
    means, halves = [(jnp.ones_like(k))], [k]
    geometric = k_prime
    for _ in range(LANDEN_STEPS):
        a = means[-1]
        means.append(0.5 * (a + geometric))
        halves.append(0.5 * (a - geometric))
        geometric = jnp.sqrt(a * geometric)
    phase = means[-1] * 2.0**LANDEN_STEPS * u
    for a, c in zip(means[:0:-1], halves[:0:-1], strict=True):
        phase = 0.5 * (phase + jnp.arcsin(c / a * jnp.sin(phase)))
    sn, cn = jnp.sin(phase), jnp.cos(phase)
    return sn / jnp.sqrt(k_prime**2 + (k * cn) ** 2)
