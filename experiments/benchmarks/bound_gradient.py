"""(a) One free-energy bound with its gradient in (eta, epsilon, kappa): compiled, against NumPy with differences.

Li0.8Pb0.2 at 1000 K, interactions ready. One at a time, and 256 reference liquids in one vmapped call.
"""

from statistics import median

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import approx_fprime

import jaxalloy as ja
from experiments.benchmarks import numpy_bound
from experiments.benchmarks.harness import FORMULA, SYMBOLS, alternate, compiled, ratio, record

LIQUID = np.array([0.42, -0.010, 1.5])
"""eta, epsilon (Ry), kappa (1/bohr)."""

MANY = 256


def main(repeats: int = 9) -> None:
    alloy = ja.Alloy.parse(FORMULA, temperature=1000.0)
    forces = ja.interactions(alloy, ja.EmptyCore())

    def bound(liquid):
        eta, epsilon, kappa = liquid
        sigma = jnp.cbrt(6 * eta * alloy.volume / jnp.pi)
        mixture = ja.HardSphereYukawa(alloy.concentration, eta, sigma, epsilon, kappa, alloy.temperature)
        return ja.free_energy_bound(alloy, forces, mixture).total

    liquids = jnp.asarray(LIQUID * (1 + 0.1 * np.linspace(0, 1, MANY)[:, None]))
    one, cost_one = compiled(jax.value_and_grad(bound), liquids[0])
    many, cost_many = compiled(jax.vmap(jax.value_and_grad(bound)), liquids)

    peer = numpy_bound.interactions(SYMBOLS, float(alloy.concentration), float(alloy.volume))

    def by_hand():
        value = numpy_bound.bound(peer, 1000.0, *LIQUID)
        # forward differences cost least: three more bounds
        return value, approx_fprime(LIQUID, lambda x: numpy_bound.bound(peer, 1000.0, *x), 1e-6 * np.abs(LIQUID))

    by_hand()
    contenders = {"numpy": by_hand, "one": lambda: one(liquids[0]), "many": lambda: many(liquids)}
    times = alternate(contenders, repeats, {"numpy": 50, "one": 200, "many": 4})
    gradient, differences = np.asarray(one(liquids[0])[1]), by_hand()[1]
    record(
        "bound_gradient",
        {
            "one": cost_one | {"run_s": median(times["one"])},
            f"vmapped_{MANY}": cost_many | {"run_s_each": median(times["many"]) / MANY},
            "numpy_s": median(times["numpy"]),
            "ratio_one": ratio(times["numpy"], times["one"]),
            "ratio_vmapped": ratio(times["numpy"], times["many"]) * MANY,
            "largest_relative_difference_of_gradients": float(np.max(np.abs(differences / gradient - 1))),
        },
    )


if __name__ == "__main__":
    main()
