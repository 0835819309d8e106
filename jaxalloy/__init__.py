"""jaxalloy: chemical short-range order in liquid and amorphous alloys, differentiable, on CPU or GPU."""

import jax as _jax

_jax.config.update("jax_enable_x64", True)
