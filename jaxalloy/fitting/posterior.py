"""The posterior of a fit by NUTS, for when the covariance is not enough; needs the extra `jaxalloy[posterior]`.

Likelihood: Gaussian, chi^2 divided by the result's `inflation`, so that correlated residuals count as few points as in
the covariance. Prior: flat in the variables of the fit (sigma, y, ln kappa, scale, level, ...) inside their box. The
sampler works in the eigenvectors of the covariance, in which the posterior is nearly round. Reported are sigma,
h_CC(1+) and y, which hardly depend on each other, and every derived quantity.
"""

import dataclasses
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy.fitting import uncertainty
from jaxalloy.fitting.fit import FitResult
from jaxalloy.numerics.checks import InputError


class Summary(NamedTuple):
    """One quantity. r_hat: 1 where the chains agree (below 1.01 is good). ess: effective number of samples."""

    name: str
    mean: float
    sd: float
    low_95: float
    high_95: float
    r_hat: float
    ess: float
    unit: str


@dataclasses.dataclass(frozen=True)
class Posterior:
    """Samples of the variables and of the derived quantities, each of shape (chains, draws). divergences: their
    number."""

    samples: dict[str, np.ndarray]
    summary: tuple[Summary, ...]
    divergences: int

    def __getitem__(self, name: str) -> Summary:
        return next(row for row in self.summary if row.name == name)

    def inference_data(self) -> Any:
        """The samples as ArviZ keeps them since its version 1: an `xarray.DataTree` with the group "posterior"."""
        return _needed("arviz_base").from_dict({"posterior": self.samples})


def posterior(result: FitResult, *, chains: int = 4, draws: int = 500, warmup: int = 400, seed: int = 0) -> Posterior:
    """Sample the posterior of a fit with NumPyro's NUTS, starting around the minimum.

    chains, draws, warmup: of the sampler (chains run vectorised). seed: of the random numbers.
    Raises `InputError` where NumPyro is not installed, or where the fit leaves a variable undetermined.
    """
    infer = _needed("numpyro.infer")
    problem = result.problem
    if not np.isfinite(result.covariance).all() or (np.diagonal(result.covariance) <= 0).any():
        raise InputError(
            "the fit leaves a variable at a bound or undetermined, and its posterior has no scale: fix that variable"
        )
    centre = jnp.asarray(result.u)
    values, vectors = np.linalg.eigh(result.covariance)
    spread = jnp.asarray(vectors * np.sqrt(np.maximum(values, values.max() * 1e-14)))

    @eqx.filter_jit
    def potential(t):
        u = centre + spread @ t
        inside = jnp.all((u > problem.box.lower) & (u < problem.box.upper))
        chi2 = jnp.sum(problem.residuals(u) ** 2) / (2 * result.inflation)
        # a finite wall: an infinite one would stop the leapfrog with NaN
        return jnp.where(inside & jnp.isfinite(chi2), chi2, 1e10)

    kernel = infer.NUTS(potential_fn=potential)
    schedule = {"num_warmup": warmup, "num_samples": draws, "num_chains": chains}
    run = infer.MCMC(kernel, **schedule, chain_method="vectorized", progress_bar=False)
    start = jax.random.normal(jax.random.key(seed), (chains, centre.size))
    run.run(jax.random.PRNGKey(seed + 1), init_params=start, extra_fields=("diverging",))
    t = run.get_samples(group_by_chain=True)
    u = centre[None, None] + jnp.einsum("ij,cdj->cdi", spread, t)
    samples = {name: np.asarray(values) for name, values in _derived(problem, u).items()}
    samples |= {n: np.asarray(u[..., i]) for i, n in enumerate(problem.names) if n not in (*samples, "kappa")}
    divergences = int(np.sum(run.get_extra_fields()["diverging"]))
    return Posterior(samples, _summarise(samples, result), divergences)


@eqx.filter_jit
def _derived(problem, u):
    return jax.vmap(jax.vmap(lambda v: uncertainty.derived(problem, v)))(u)


def _summarise(samples: dict[str, np.ndarray], result: FitResult) -> tuple[Summary, ...]:
    diagnose = _needed("numpyro.diagnostics")
    rows = []
    for name, values in samples.items():
        if np.ptp(values) < 1e-12 * np.abs(values).max():
            continue  # fixed
        low, high = np.quantile(values, (0.025, 0.975))
        unit = result.estimates[name].unit if name in result.estimates else "1"
        r_hat, ess = diagnose.split_gelman_rubin(values), diagnose.effective_sample_size(values)
        mean, sd, low, high, r_hat, ess = map(float, (values.mean(), values.std(), low, high, r_hat, ess))
        rows.append(Summary(name, mean, sd, low, high, r_hat, ess, unit))
    return tuple(rows)


def _needed(module: str) -> Any:
    """Import what the extra brings."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"sampling needs {module}: install jaxalloy[posterior]") from error
