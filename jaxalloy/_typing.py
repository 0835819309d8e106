"""Shapes used in public signatures; a shape () argument may be a Python number, a NumPy or a JAX scalar."""

from jaxtyping import Array, ArrayLike, Bool, Complex, Float, Int, Real

Scalar = Float[Array, ""]
ScalarLike = Real[ArrayLike, ""]

__all__ = ["Array", "ArrayLike", "Bool", "Complex", "Float", "Int", "Real", "Scalar", "ScalarLike"]
