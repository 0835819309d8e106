"""The Jacobi elliptic function that the lossless relaxation follows; JAX has none."""

import jax.numpy as jnp

from jaxalloy._typing import Array, Float

LANDEN_STEPS = 10
"""Enough for k' > 1e-40; the arithmetic-geometric mean converges quadratically."""


def pendulum(u: Float[Array, "n"], k: Float[Array, ""], k_prime: Float[Array, ""]) -> Float[Array, "n"]:
    """k' sd(u | k^2), by descending Landen transformations, sound also where k' is 1e-12.

    The argument is reduced by the period and counted from the nearer of a zero and a maximum, where k' sd(K - w) =
    cn(w): near k = 1 the amplitude itself cannot tell times close to the maximum apart.

    u: (n,). k, k': modulus and complementary modulus, (); both given, because 1 - k^2 loses k' near k = 1.
    Source: Abramowitz and Stegun 16.4, 16.8.
    """
    mean, geometric, levels = jnp.ones_like(k), k_prime, []
    for _ in range(LANDEN_STEPS):
        half = 0.5 * (mean - geometric)
        mean, geometric = 0.5 * (mean + geometric), jnp.sqrt(mean * geometric)
        levels.append((mean, geometric, half))
    quarter = 0.5 * jnp.pi / mean
    turns = jnp.round(u / (2.0 * quarter))
    reduced = u - 2.0 * quarter * turns
    sign = (1.0 - 2.0 * jnp.mod(turns, 2.0)) * jnp.sign(reduced)
    late = jnp.abs(reduced) > 0.5 * quarter
    near = jnp.where(late, quarter - jnp.abs(reduced), jnp.abs(reduced))
    phase = mean * 2.0**LANDEN_STEPS * near
    for a, b, c in reversed(levels):
        sine, cosine = jnp.sin(phase), jnp.cos(phase)
        # arcsin(c/a sin), whose argument comes close to 1 near k = 1
        phase = 0.5 * (phase + jnp.arctan2(c * sine, jnp.sqrt((a * cosine) ** 2 + (b * sine) ** 2)))
    sn, cn = jnp.sin(phase), jnp.cos(phase)
    return sign * jnp.where(late, cn, k_prime * sn / jnp.sqrt(k_prime**2 + (k * cn) ** 2))
