"""The liquids that several experiments look at, each computed once per process."""

import functools

import jax.numpy as jnp

import jaxalloy as ja

CONSTRAINTS = {"contact": ja.ContactConstraint(), "free": ja.Unconstrained(), "none": ja.HardSpheres()}


def potential(preset="default", mean_free_path=None, **choices):
    """The optimised OPW potential of a preset, "default" or "paper". mean_free_path: bohr."""
    path = None if mean_free_path is None else jnp.asarray(mean_free_path)
    make = {"default": ja.OptimisedOPW, "paper": ja.OptimisedOPW.paper}[preset]
    return make(mean_free_path=path, **choices)


def alloy(formula, temperature):
    """An alloy by formula, or a pure metal by its symbol."""
    pure = sum(letter.isupper() for letter in formula) == 1
    return (ja.Alloy.pure if pure else ja.Alloy.parse)(formula, temperature)


@functools.cache
def forces(formula, temperature, preset="default", **choices):
    """The alloy and its interactions."""
    this = alloy(formula, temperature)
    return this, ja.interactions(this, potential(preset, **choices))


@functools.cache
def liquid(formula, temperature, constraint="contact", preset="default", **choices):
    """The minimised bound of one liquid."""
    this, between = forces(formula, temperature, preset, **choices)
    return ja.minimise(this, between, CONSTRAINTS[constraint])
