"""A sweep's description, read from a TOML file and checked before anything is computed.

quantity = "predict"                 # or structure-factor, relax, stationary
store = ["S_CC_0", "S_peak"]         # what is kept of every state
combine = "cartesian"                # or "zip"

[options]                            # for the whole sweep
alloy = "LiPb"

[fixed]                              # the same in every state
temperature = 1000.0

[axes]                               # linear, log, list or sobol
concentration = { linear = [0.05, 0.95], points = 19 }
"""

import dataclasses
import functools
import hashlib
import json
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Any

from jaxalloy.numerics.checks import InputError, require
from jaxalloy.sweep.axes import SCALES, Axis, States, unknown
from jaxalloy.sweep.liquid import STRUCTURE_FACTOR
from jaxalloy.sweep.predicted import PREDICT
from jaxalloy.sweep.quantity import Lanes, Option, Quantity
from jaxalloy.sweep.relaxations import RELAX, STATIONARY

QUANTITIES = {quantity.name: quantity for quantity in (PREDICT, STRUCTURE_FACTOR, RELAX, STATIONARY)}
COMBINE = ("cartesian", "zip")
KEYS = ("quantity", "store", "combine", "seed", "options", "fixed", "axes")


@dataclasses.dataclass(frozen=True)
class Configuration:
    """What a sweep computes, complete with its defaults; equal configurations give equal stores.

    quantity, stored: what is computed and which outputs are kept. options: for the whole sweep. fixed: parameters
    that are the same for all states. axes, combine ("cartesian" or "zip"), seed (of Sobol axes): the states.
    """

    quantity: Quantity
    stored: tuple[str, ...]
    options: dict[str, Any]
    fixed: dict[str, float]
    axes: tuple[Axis, ...]
    combine: str
    seed: int

    @classmethod
    def read(cls, path: pathlib.Path | str) -> "Configuration":
        """From a TOML file. Raises `InputError` naming the file, what is wrong in it, and the remedy."""
        path = pathlib.Path(path)
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}; name a file that can be read") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is not TOML: {error}") from error
        try:
            return cls.of(given)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Configuration":
        """From what a TOML file holds. Raises `InputError` for unknown keys, missing and bad values."""
        for key in given:
            if key not in KEYS:
                raise unknown("top level", key, KEYS)
        name = given.get("quantity")
        if name is None:
            raise InputError(f"quantity is missing: name one of {', '.join(QUANTITIES)}")
        if name not in QUANTITIES:
            raise unknown("quantity", name, QUANTITIES)
        quantity = QUANTITIES[name]
        tables = {}
        for key in ("options", "fixed", "axes"):
            tables[key] = given.get(key, {})
            if not isinstance(tables[key], Mapping):
                raise InputError(f"{key} = {tables[key]!r}: it is a table, written [{key}]")
        combine = given.get("combine", "cartesian")
        if combine not in COMBINE:
            raise unknown("combine", combine, COMBINE)
        seed = given.get("seed", 0)
        if not isinstance(seed, int) or seed < 0:
            raise InputError(f"seed = {seed!r}: give a whole number, 0 or more")
        axes = _axes(quantity, tables["axes"])
        configuration = cls(
            quantity=quantity,
            stored=_stored(quantity, given.get("store", list(quantity.stored))),
            options=_options(quantity, tables["options"]),
            fixed=_fixed(quantity, tables["fixed"], axes),
            axes=axes,
            combine=combine,
            seed=seed,
        )
        configuration.check()
        return configuration

    def check(self) -> None:
        """Raise `InputError` for a value that no state can have, and for options that do not go together."""
        states = self.states
        values = {name: along for name, (_, along) in states.coordinates.items()} | self.fixed
        for name, value in values.items():
            parameter = self.quantity.parameters[name]
            require(f"{name} ({parameter.unit})", value, parameter.holds, parameter.remedy)
        if self.quantity is PREDICT and "concentration" in values and any(map(str.isdigit, str(self.options["alloy"]))):
            raise InputError(
                f"options.alloy = {self.options['alloy']!r} and a concentration: give the composition once; "
                'the elements alone are written as in "LiPb"'
            )
        self.lanes()

    @functools.cached_property
    def states(self) -> States:
        """The states that it runs over; a Sobol sequence is drawn once."""
        return States.of(self.axes, self.combine, self.seed, self.fixed)

    def lanes(self) -> Lanes:
        """What evaluates them."""
        return self.quantity.make(self.options)

    def canonical(self) -> dict[str, Any]:
        """Everything that the results depend on, as plain values."""
        plain = {key: value.canonical() if isinstance(value, Axis) else value for key, value in self.options.items()}
        return {
            "quantity": self.quantity.name,
            "store": list(self.stored),
            "combine": self.combine,
            "seed": self.seed,
            "options": plain,
            "fixed": self.fixed,
            "axes": {axis.name: axis.canonical() for axis in self.axes},
        }

    def text(self) -> str:
        """`canonical` as JSON; the axes keep their order, which is that of the dimensions."""
        return json.dumps(self.canonical())

    def digest(self) -> str:
        """The hash that a store is recognised by."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def from_text(text: str) -> Configuration:
    """The configuration behind `Configuration.text`, for a process that has no access to the file."""
    given = json.loads(text)

    def axis(table: dict[str, Any]) -> dict[str, Any]:
        return {table["scale"]: table["numbers"], "points": table["points"]}

    kinds = QUANTITIES[given["quantity"]].options
    given["axes"] = {name: axis(table) for name, table in given["axes"].items()}
    given["options"] = {
        name: axis(value) if isinstance(kinds[name].default, Axis) else value
        for name, value in given["options"].items()
        if value is not None
    }
    return Configuration.of(given)


def _axes(quantity: Quantity, given: Mapping[str, Any]) -> tuple[Axis, ...]:
    if not given:
        raise InputError("axes is empty: name at least one, as in temperature = { linear = [800, 1400], points = 13 }")
    for name in given:
        if name not in quantity.parameters:
            raise unknown("axes", name, quantity.parameters)
    return tuple(Axis.read(name, table) for name, table in given.items())


def _fixed(quantity: Quantity, given: Mapping[str, Any], axes: tuple[Axis, ...]) -> dict[str, float]:
    varied = {axis.name for axis in axes}
    for name, value in given.items():
        if name not in quantity.parameters:
            raise unknown("fixed", name, quantity.parameters)
        if name in varied:
            raise InputError(f"fixed.{name}: it is an axis too; leave it away in one of them")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"fixed.{name} = {value!r}: a number is needed; several make an axis")
    named = varied | set(given)
    fixed = {name: 1.0 * value for name, value in given.items()}
    alternatives = {name for group in quantity.either for name in group}
    for group in quantity.either:
        if len(named & set(group)) != 1:
            raise InputError(f"give one of {' and '.join(group)}, as an axis or fixed")
    for name, parameter in quantity.parameters.items():
        if name in named or name in alternatives or name in quantity.optional:
            continue
        if parameter.default is None:
            raise InputError(f"{name} is missing ({parameter.meaning}, {parameter.unit}): make it an axis or fixed")
        fixed[name] = parameter.default
    return dict(sorted(fixed.items()))


def _options(quantity: Quantity, given: Mapping[str, Any]) -> dict[str, Any]:
    for name in given:
        if name not in quantity.options:
            raise unknown("options", name, quantity.options)
    return {
        name: _option(name, option, given[name]) if name in given else option.default
        for name, option in quantity.options.items()
    }


def _option(name: str, option: Option, value: Any) -> Any:
    if isinstance(option.default, Axis):
        scales = tuple(scale for scale in SCALES if scale == "linear") if option.evenly else SCALES[:3]
        axis = Axis.read(name, value, scales)
        if option.evenly and axis.points < 3:
            raise InputError(f"options.{name}: points = {axis.points}; 3 or more are needed")
        return axis
    if option.choices:
        if value not in option.choices:
            raise unknown(f"options.{name}", value, option.choices)
        return value
    if isinstance(option.default, float):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"options.{name} = {value!r}: a number is needed")
        return 1.0 * value
    if isinstance(option.default, dict):
        whole = isinstance(value, Mapping) and all(isinstance(x, int) for x in value.values())
        if not whole:
            raise InputError(f"options.{name} = {value!r}: write it like {{ Li = 7 }}")
        return dict(sorted(value.items()))
    return value


def _stored(quantity: Quantity, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given:
        raise InputError(f"store = {given!r}: give a list of {', '.join(quantity.outputs)}")
    for name in given:
        if name not in quantity.outputs:
            raise unknown("store", name, quantity.outputs)
    return tuple(dict.fromkeys(given))
