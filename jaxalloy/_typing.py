"""Shapes used in public signatures; a shape () argument may be a Python number, a NumPy or a JAX scalar."""

from typing import TYPE_CHECKING, Any

import jax
from jaxtyping import ArrayLike, Bool, Complex, Float, Int, Real

if TYPE_CHECKING:
    from jaxtyping import Array
else:  # a rehearsal (`numerics.programs`) passes the shapes of arrays yet to come
    Array = jax.Array | jax.ShapeDtypeStruct

Scalar = Float[Array, ""]
if TYPE_CHECKING:  # a type checker cannot do arithmetic with the union that a "number or array" is
    ScalarLike = Any
else:
    ScalarLike = Real[ArrayLike, ""]

__all__ = ["Array", "ArrayLike", "Bool", "Complex", "Float", "Int", "Real", "Scalar", "ScalarLike"]
