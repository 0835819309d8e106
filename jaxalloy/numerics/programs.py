"""Compiled programs that outlive the process: a second run of a command neither traces nor compiles.

JAX's own cache saves the compilation alone; tracing and lowering the same Python again takes as long. Only the command
line turns this on (`run_once`); without it a `program` is `equinox.filter_jit`.

A file is used only if everything that made it is the same: the files of this package, the versions of what it is built
on, the device, JAX's settings, the function, the shapes and the static arguments. A file that cannot be read is made
anew.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import pathlib
import pickle
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import serialize_executable
from jax.experimental.compilation_cache import compilation_cache

from jaxalloy.numerics.checks import is_traced

Function = TypeVar("Function", bound=Callable[..., Any])

_FAST_COMPILATION: tuple[dict[str, str | bool], ...] = ({"xla_cpu_use_fusion_emitters": False}, {})
"""Options of the compiler on a CPU, best first: the older emitters take half the time. Not every version knows them."""

_BUILT_ON = ("jax", "jaxlib", "numpy", "scipy", "equinox", "optimistix", "diffrax", "interpax", "periodictable")

_INERT_CALLS = {"Sharding", "optimization_barrier"}

_on = False
_folder: pathlib.Path | None = None
_ready: dict[str, "_Program"] = {}


def run_once(on: bool, folder: pathlib.Path | None = None) -> None:
    """From now on compile in haste, for programs that run once or twice, and keep them in `folder` (if it exists)."""
    global _on, _folder
    _on, _folder = on, folder
    _ready.clear()
    jax.config.update("jax_disable_most_optimizations", on)


def program(function: Function) -> Function:
    """`equinox.filter_jit`, whose compiled code is kept between processes where `run_once` was called.

    function: pure, at the top of a module. Under a transformation, or with a gradient, it is the plain function.
    """
    jitted = eqx.filter_jit(function)

    @functools.wraps(function)
    def call(*arguments):
        if not _on or is_traced(arguments):
            return jitted(*arguments)
        leaves, static = _split(arguments)
        name = _name(function, leaves, static)
        if name not in _ready:
            path = _folder / name if _folder else None
            _ready[name] = _load(path) or _make(function, leaves, static, path)
        return _ready[name](leaves)

    return call  # type: ignore[return-value]


def kept_table(function: Function) -> Function:
    """Keep what a function of texts returns, a PyTree of arrays, where `run_once` keeps programs."""

    @functools.wraps(function)
    def call(*texts: str):
        if not _on or _folder is None:
            return function(*texts)
        facts = (_surroundings(), function.__module__, function.__qualname__, texts)
        path = _folder / hashlib.sha256(repr(facts).encode()).hexdigest()[:32]
        found = _read(path)
        if found is None:
            found = function(*texts)
            _write(path, jax.tree.map(np.asarray, found))
        with jax.ensure_compile_time_eval():
            return jax.tree.map(jnp.asarray, found)

    return call  # type: ignore[return-value]


class _Program:
    """An executable from a list of arrays to a list of arrays, and what these are in the result."""

    def __init__(self, executable: Callable[[list[Any]], list[Any]], skeleton: Any):
        self.executable = executable
        self.places, self.structure = jax.tree.flatten(skeleton)

    def __call__(self, leaves: list[Any]) -> Any:
        arrays = self.executable(leaves)
        return jax.tree.unflatten(
            self.structure, [arrays[place.index] if isinstance(place, _Place) else place for place in self.places]
        )


class _Place:
    """Where an array of the result belongs."""

    def __init__(self, index: int):
        self.index = index


def _split(tree: Any) -> tuple[list[Any], Any]:
    """The arrays of a PyTree, and the tree with their places instead."""
    leaves, structure = jax.tree.flatten(tree)
    arrays = [leaf for leaf in leaves if _is_array(leaf)]
    places = iter(range(len(arrays)))
    return arrays, jax.tree.unflatten(structure, [_Place(next(places)) if _is_array(x) else x for x in leaves])


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray)


def _name(function: Callable, leaves: list[Any], static: Any) -> str:
    """The name of the file: a digest of all that the program depends on."""
    places, structure = jax.tree.flatten(static)
    kind = [(leaf.shape, str(leaf.dtype), bool(getattr(leaf, "weak_type", False))) for leaf in leaves]
    fixed = [repr(place) for place in places if not isinstance(place, _Place)]
    facts = (_surroundings(), function.__module__, function.__qualname__, kind, fixed, str(structure))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


@functools.cache
def _surroundings() -> str:
    """A digest of this package, of what it is built on, and of JAX's settings."""
    package = pathlib.Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(package)).encode() + path.read_bytes())
    versions = [importlib.metadata.version(name) for name in _BUILT_ON]
    settings = (jax.config.values["jax_enable_x64"], os.environ.get("XLA_FLAGS"))
    device = jax.config.values["jax_default_device"] or jax.devices()[0]
    digest.update(repr((sys.version, versions, settings, device.device_kind, device.client.platform_version)).encode())
    return digest.hexdigest()


def _make(function: Callable, leaves: list[Any], static: Any, path: pathlib.Path | None) -> _Program:
    """Trace, compile, and keep it if it can be kept."""
    skeleton = None

    def flat(arrays: list[Any]) -> list[Any]:
        nonlocal skeleton
        places, structure = jax.tree.flatten(static)
        filled = [arrays[place.index] if isinstance(place, _Place) else place for place in places]
        found, skeleton = _split(function(*jax.tree.unflatten(structure, filled)))
        return found

    lowered = jax.jit(flat).lower(leaves)
    with _without_cache_of_jax() if path else contextlib.nullcontext():
        for options in _FAST_COMPILATION if jax.default_backend() == "cpu" else ({},):
            try:
                executable = lowered.compile(compiler_options=options)
                break
            except Exception:  # an option that this version does not know; without any, the error is a real one
                if not options:
                    raise
    calls = set(re.findall(r"custom_call @([\w.$]+)", lowered.as_text())) if path else set()
    if path is None or not all(call.startswith("lapack_") or call in _INERT_CALLS for call in calls):
        return _Program(executable, skeleton)
    with contextlib.suppress(Exception):  # a program that cannot be written is made again next time
        _write(path, (serialize_executable.serialize(executable)[0], len(leaves), skeleton))
    return _Program(executable, skeleton)


@contextlib.contextmanager
def _without_cache_of_jax() -> Iterator[None]:
    """Compile indeed: an executable that JAX read from its own cache lacks functions once it is written again."""
    before = jax.config.values["jax_enable_compilation_cache"]
    try:
        jax.config.update("jax_enable_compilation_cache", False)
        compilation_cache.reset_cache()  # it looks at the setting only once
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", before)
        compilation_cache.reset_cache()


def _load(path: pathlib.Path | None) -> _Program | None:
    """The program of a file, or None where there is none."""
    content = _read(path)
    if content is None:
        return None
    payload, count, skeleton = content
    results = sum(isinstance(place, _Place) for place in jax.tree.leaves(skeleton))
    trees = jax.tree.structure((([0] * count,), {})), jax.tree.structure([0] * results)
    _bind_lapack()
    try:
        return _Program(serialize_executable.deserialize_and_load(payload, *trees), skeleton)
    except Exception:  # whatever is wrong with it, the program can be made anew
        return None


def _write(path: pathlib.Path, content: Any) -> None:
    """A file with its digest in front, there at once or not at all; none where there is no room."""
    text = pickle.dumps(content)
    with contextlib.suppress(OSError):
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(hashlib.sha256(text).digest() + text)
        os.replace(file.name, path)


def _read(path: pathlib.Path | None) -> Any:
    """What `_write` wrote; None where there is no file, or a damaged one."""
    try:
        content = path.read_bytes() if path else b""
    except OSError:
        return None
    digest, text = content[:32], content[32:]
    return pickle.loads(text) if hashlib.sha256(text).digest() == digest else None


@functools.cache
def _bind_lapack() -> None:
    """JAX finds LAPACK when it lowers a call to it, which loading a program leaves out; the call would go nowhere."""
    jax.jit(jnp.linalg.cholesky).lower(jax.ShapeDtypeStruct((1, 1), float))
