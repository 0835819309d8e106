"""Compiled programs that outlive the process: a second run of a command neither traces nor compiles.

JAX's own cache saves the compilation alone; tracing and lowering the same Python again takes as long. Only the command
line turns this on (`run_once`); without it a `program` is `equinox.filter_jit`. There the same calls can also be made
ahead (`rehearsal`): then programs that feed one another are compiled side by side.

A file is used only if everything that made it is the same: the files of this package, the versions of what it is built
on, the device, JAX's settings, the function, the shapes and the static arguments. A file that cannot be read is made
anew.
"""

import concurrent.futures
import contextlib
import functools
import gc
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

Function = TypeVar("Function", bound=Callable[..., Any])

_FAST_COMPILATION: tuple[dict[str, str | bool], ...] = (
    {"xla_cpu_use_fusion_emitters": False, "xla_cpu_parallel_codegen_split_count": "1"},
    {"xla_cpu_use_fusion_emitters": False},
)
"""Options of the compiler on a CPU, best first. Not every version knows them.

The older emitters take half the time; a program in one piece takes less than in several, and the cores are shared by
the programs.
"""

_BUILT_ON = ("jax", "jaxlib", "numpy", "scipy", "equinox", "optimistix", "diffrax", "interpax", "periodictable")

_INERT_CALLS = {"Sharding", "optimization_barrier"}

_on = False
_rehearsing = False
_folder: pathlib.Path | None = None
_ready: dict[str, "_Program"] = {}
_new_workers = functools.partial(concurrent.futures.ThreadPoolExecutor, 2, thread_name_prefix="compile")
_workers = _new_workers()


def run_once(on: bool, folder: pathlib.Path | None = None) -> None:
    """From now on compile in haste, for programs that run once or twice, and keep them in `folder` (if it exists).

    On a CPU that replaces JAX's own cache: a program that came out of that one is no longer whole when it is kept.
    Waits for what is still being compiled or written.
    """
    global _on, _folder, _workers
    _workers.shutdown()
    _workers = _new_workers()
    _on, _folder = on, folder
    _ready.clear()
    jax.config.update("jax_disable_most_optimizations", on)
    jax.config.update("jax_enable_compilation_cache", not (on and jax.default_backend() == "cpu"))
    compilation_cache.reset_cache()


@contextlib.contextmanager
def rehearsal() -> Iterator[None]:
    """In here, and after `run_once`, a program is traced and its compilation begun, but it is not run.

    It returns the shapes of its results (`jax.ShapeDtypeStruct`), which the next program takes for its arguments: that
    one need not wait for the first. What goes wrong with the compilation is raised by the call after the rehearsal.
    """
    global _rehearsing
    _rehearsing = _on
    try:
        yield
    finally:
        _rehearsing = False


def program(function: Function) -> Function:
    """`equinox.filter_jit`, whose compiled code is kept between processes where `run_once` was called.

    function: pure, at the top of a module. Under a transformation, or with a gradient, it is the plain function.
    """
    jitted = eqx.filter_jit(function)

    @functools.wraps(function)
    def call(*arguments):
        if not _on or any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(arguments)):
            return jitted(*arguments)
        leaves, static = _split(arguments)
        name = _name(function, leaves, static)
        if name not in _ready:
            path = _folder / name if _folder else None
            _ready[name] = _load(function, leaves, static, path) or _make(function, leaves, static, path)
        return _ready[name].shapes() if _rehearsing else _ready[name](leaves)

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
            return jax.tree.map(jax.device_put, found)

    return call  # type: ignore[return-value]


class _Program:
    """An executable, now or soon, from a list of arrays to a list of arrays, and what these are in the result."""

    def __init__(self, executable: concurrent.futures.Future, skeleton: Any, results: list[jax.ShapeDtypeStruct]):
        self.executable = executable
        self.results = results
        self.places, self.structure = jax.tree.flatten(skeleton)

    def __call__(self, leaves: list[Any]) -> Any:
        return self._filled(self.executable.result()(leaves))

    def shapes(self) -> Any:
        """The result, with shapes for arrays."""
        return self._filled(self.results)

    def _filled(self, arrays: list[Any]) -> Any:
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
    return isinstance(leaf, jax.Array | np.ndarray | jax.ShapeDtypeStruct)


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
    """Trace, and have it compiled and kept in the background."""
    lowered, skeleton, results = _lower(function, leaves, static)
    executable = _workers.submit(_compile, lowered)
    if path:
        executable.add_done_callback(lambda done: _keep(path, lowered, done, (len(leaves), skeleton, results)))
    return _Program(executable, skeleton, results)


def _lower(function: Callable, leaves: list[Any], static: Any) -> tuple[jax.stages.Lowered, Any, list[Any]]:
    """The function between lists of arrays, lowered; the result with places for arrays; the shapes of these."""
    skeleton = None

    def flat(arrays: list[Any]) -> list[Any]:
        nonlocal skeleton
        places, structure = jax.tree.flatten(static)
        filled = [arrays[place.index] if isinstance(place, _Place) else place for place in places]
        found, skeleton = _split(function(*jax.tree.unflatten(structure, filled)))
        return found

    with _no_garbage_collection():
        traced = jax.jit(flat).trace(leaves)
        return traced.lower(), skeleton, traced.out_info


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Tracing makes so many objects, hardly any of them garbage, that looking for it takes a sixth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _compile(lowered: jax.stages.Lowered) -> jax.stages.Compiled:
    for options in _FAST_COMPILATION if jax.default_backend() == "cpu" else ():
        with contextlib.suppress(Exception):  # an option that this version does not know
            return lowered.compile(compiler_options=options)
    return lowered.compile()


def _keep(path: pathlib.Path, lowered: jax.stages.Lowered, done: concurrent.futures.Future, facts: Any) -> None:
    """Write the program, if it can be kept; one that cannot is made again next time."""
    with contextlib.suppress(Exception):
        executable = done.result()
        calls = set(re.findall(r"custom_call @([\w.$]+)", lowered.as_text()))
        if all(call.startswith("lapack_") or call in _INERT_CALLS for call in calls):
            _write(path, (serialize_executable.serialize(executable)[0], *facts))


def _load(function: Callable, leaves: list[Any], static: Any, path: pathlib.Path | None) -> _Program | None:
    """The program of a file, or None where there is none."""
    content = _read(path)
    if content is None:
        return None
    payload, count, skeleton, results = content
    trees = jax.tree.structure((([0] * count,), {})), jax.tree.structure([0] * len(results))

    def load():
        _bind_lapack()
        try:
            return serialize_executable.deserialize_and_load(payload, *trees)
        except Exception:  # whatever is wrong with it, the program can be made anew
            return _compile(_lower(function, leaves, static)[0])

    return _Program(_workers.submit(load), skeleton, results)


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
