"""Networks of users: any ``torch.nn.Module``; torch.func computes the outputs of many members at once.

A file, such as the TOML file of a study, names a function or class that makes the module, such as
"mylab.models:SmallViT".  Reading the file does not import the Python module "mylab.models".  The user must
also name this module in the command or the call, see `errsrc.records.own_modules`.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy
from torch.utils.flop_counter import FlopCounterMode

from errsrc import checks
from errsrc.fields import declare, instance, integer
from errsrc.nets.network import Network, Weights
from errsrc.records import own_modules
from errsrc.rng import seed_of

_TOLERANCE = 1e-4  # relative differences of float32 outputs that are equal but for rounding
_PROBES = 3  # examples
_MODES = (
    (nn.modules.batchnorm._BatchNorm, "batch statistics"),
    (nn.modules.dropout._DropoutNd, "dropout"),
    (nn.MultiheadAttention, "dropout"),
    (nn.RNNBase, "dropout"),
)
_ADVICE = "Use GroupNorm or LayerNorm instead of batch statistics, and a dropout of 0."


@dataclass(frozen=True)
class ModuleNetwork(Network):
    """A network made from the ``torch.nn.Module`` that a function or class of the user returns.

    errsrc calls the function with keyword arguments, and leaves out those that the function does not accept.
    The arguments are ``inputs``, ``outputs``, ``classes`` (the same number as outputs), ``width``, ``depth``,
    and for images ``image_shape``, ``channels`` and ``side``.  The module maps a batch of examples, (B,
    inputs) or (B, channels, side, side), to outputs (B, outputs).  All of its parameters are trained.  For
    the initial weights of a member (one set of weights), errsrc calls ``torch.manual_seed`` with a number
    from the member's seed, and then makes the module.

    Attributes
    ----------
    module
        The Python module, a colon, and the name of the function or class in it.
    inputs
        Length of an input vector, >= 1.
    outputs
        Number of outputs, >= 1.
    width, depth
        Sizes for the function, >= 1; None if the function has no such parameter.
    image_shape
        Shape (channels, side, side) of the image in an input vector; () if inputs are not images.

    Notes
    -----
    The outputs must depend on the weights and on the example alone.  A module with batch statistics
    (BatchNorm), dropout above 0, buffers that change, or parameters that are not trained raises ValueError.
    GroupNorm, LayerNorm, attention, embeddings and tied weights work.  Members are computed at once by
    ``torch.func.vmap``, or one after another if vmap cannot compute the module, as for ``nn.LSTM``.  Tensors
    of two or more axes are pruned, and tensors of one axis are not.
    """

    module: str = instance(str, "a module and a name in it, such as 'mylab.models:SmallViT'", "")
    inputs: int = integer(1, at_least=1)
    outputs: int = integer(1, at_least=1)
    width: int | None = integer(None, at_least=1)
    depth: int | None = integer(None, at_least=1)
    image_shape: tuple[int, ...] = declare(checks.Tuple(checks.Integer(at_least=1)), ())

    def __post_init__(self) -> None:
        super().__post_init__()
        self._factory()
        if self.image_shape and math.prod(self.image_shape) != self.inputs:
            accepted = f"{math.prod(self.image_shape)}, the size of an image {self.image_shape}"
            raise ValueError(checks.refusal("inputs", "ModuleNetwork", accepted, self.inputs))

    def _factory(self) -> Callable[..., Any]:
        """Return the function that makes the module."""
        found = own_modules.find(self.module, "module", "ModuleNetwork")
        if not callable(found):
            accepted = "a class or function that makes a torch.nn.Module"
            raise TypeError(checks.refusal("module", "ModuleNetwork", accepted, self.module))
        return found

    @functools.cached_property
    def _plan(self) -> _Plan:
        """What is known of the module, computed once, so that torch.compile does not trace this function."""
        return _plan(self, self._factory())

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields without the plan; another process makes the plan again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def source_digest(self) -> str:
        """A digest of the file of the Python module."""
        return own_modules.digests()[self.module.partition(":")[0]]

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of the module's parameters, in the order of ``named_parameters``."""
        return self._plan.shapes

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds for one example, as torch counts them."""
        return self._plan.multiply_adds

    def resized(self, inputs: int, outputs: int) -> Self:
        """Return a copy with `inputs` inputs and `outputs` outputs; a network of images returns itself.

        Parameters
        ----------
        inputs, outputs : int
            Length of an input vector, and number of outputs, >= 1.
        """
        return self if self.image_shape else replace(self, inputs=inputs, outputs=outputs)

    def draw(
        self,
        seeds: Any,
        stds: Any = None,
        dtype: torch.dtype = torch.float32,
    ) -> Weights:
        """Return weights on the CPU; each member's weights depend on its own seed alone.

        Parameters
        ----------
        seeds : sequence of int
            The seed of each member, >= 0.
        stds : sequence of float, optional
            Standard deviation of each tensor, for normal weights, see `Network.draw`.  By default, the
            weights are those with which the module is made.
        dtype : torch.dtype
            float32 or float64.

        Returns
        -------
        tuple of tensors (E, ...)
            The weights.
        """
        if stds is not None:
            return super().draw(seeds, stds, dtype)
        made = [_made(self, self._factory(), seed_of(seed, "weights")) for seed in seeds]
        stacked, _ = stack_module_state(made)
        pairs = zip(stacked.values(), self.shapes(), strict=True)
        return tuple(w.detach().to(dtype).reshape(len(made), *shape) for w, shape in pairs)

    def __call__(self, weights: Weights, x: Tensor) -> Tensor:
        """Return the outputs of all members, (E, B, outputs), see `Network`."""
        plan = self._plan
        if self.image_shape:
            x = x.reshape(*x.shape[:-1], *self.image_shape)
        shared = x.dim() == (1 + (len(self.image_shape) or 1))
        forward = plan.forward(x.dtype, x.device)
        own = tuple(w.reshape(len(w), *shape) for w, shape in zip(weights, plan.own_shapes, strict=True))
        if plan.at_once:
            with sdpa_kernel(SDPBackend.MATH):  # vmap computes the other kernels of attention one by one
                outputs = vmap(forward, in_dims=(0, None if shared else 0))(own, x)
        else:
            parts = [forward(tuple(w[i] for w in own), x if shared else x[i]) for i in range(len(own[0]))]
            outputs = torch.stack(parts)
        return outputs.reshape(*outputs.shape[:2], self.outputs)


def from_module(
    factory: Callable[..., nn.Module],
    inputs: int = 1,
    outputs: int = 1,
    *,
    width: int | None = None,
    depth: int | None = None,
    image_shape: tuple[int, ...] = (),
) -> ModuleNetwork:
    """Return the network whose weights and outputs are those of the user's ``torch.nn.Module``.

    Parameters
    ----------
    factory : callable
        A class or function that makes the module, see `ModuleNetwork`.  The class or function must be defined
        at the top level of a Python module.
    inputs, outputs : int
        Length of an input vector, and number of outputs.  For images, the length follows from `image_shape`.
    width, depth : int, optional
        Sizes for the factory.
    image_shape : (int, int, int)
        Shape (channels, side, side) of an image, for a module of images.

    Raises
    ------
    ValueError
        If the factory is not found in its module, or if errsrc cannot train the module.

    Examples
    --------
    >>> from errsrc.nets.own_module import example_module
    >>> network = from_module(example_module, inputs=3, outputs=2, width=8)
    >>> network.shapes(), network.parameters
    (((8, 3), (8,), (2, 8), (2,)), 50)
    """
    module, name = getattr(factory, "__module__", ""), getattr(factory, "__qualname__", "")
    if "<" in name or getattr(sys.modules.get(module), name.partition(".")[0], None) is None:
        accepted = "a class or function that is defined at the top level of a module"
        raise ValueError(checks.refusal("factory", "from_module", accepted, factory))
    own_modules.import_modules(module)
    inputs = math.prod(image_shape) if image_shape else inputs
    network = ModuleNetwork(f"{module}:{name}", inputs, outputs, width, depth, tuple(image_shape))
    network.shapes()
    return network


def example_module(inputs: int, outputs: int, width: int) -> nn.Module:
    """Return a small module, for examples.

    Parameters
    ----------
    inputs, outputs, width : int
        Sizes of the module.
    """
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is known of a user's module, once it is made and tried.

    Attributes
    ----------
    template
        The module; its parameters are replaced in each call.
    names
        Names of its parameters.
    own_shapes
        Shapes of its parameters.
    buffers
        Its buffers.
    at_once
        Whether vmap computes many members at once.
    multiply_adds
        Number of multiply-adds for one example.
    """

    template: nn.Module
    names: tuple[str, ...]
    own_shapes: tuple[tuple[int, ...], ...]
    buffers: dict[str, Tensor]
    at_once: bool
    multiply_adds: int

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes, of one axis or more."""
        return tuple(shape or (1,) for shape in self.own_shapes)

    def forward(self, dtype: torch.dtype, device: torch.device) -> Callable[[Weights, Tensor], Tensor]:
        """Return a function of one member's weights and inputs that returns outputs."""
        buffers = {
            name: b.to(device, dtype if b.is_floating_point() else b.dtype)
            for name, b in self.buffers.items()
        }

        def forward(weights: Weights, x: Tensor) -> Tensor:
            outputs: Tensor = functional_call(
                self.template, (dict(zip(self.names, weights, strict=True)), buffers), (x,)
            )
            return outputs

        return forward


@functools.lru_cache(maxsize=64)
def _plan(network: ModuleNetwork, factory: Callable[..., Any]) -> _Plan:
    """Return the plan of a user's module; raise ValueError for a module that the loop cannot train."""
    first, again, other = (_made(network, factory, seed) for seed in (0, 0, 1))
    parameters = dict(first.named_parameters())
    if not parameters:
        raise _refusal(network, "it has no parameters.")
    frozen = [name for name, parameter in parameters.items() if not parameter.requires_grad]
    if frozen:
        raise _refusal(network, f"its parameter {frozen[0]!r} is not trained: register it as a buffer.")
    for one in (again, other):
        if [tuple(p.shape) for p in one.parameters()] != [tuple(p.shape) for p in first.parameters()]:
            raise _refusal(network, "its parameters have other shapes each time that it is made.")
    if not all(map(torch.equal, first.parameters(), again.parameters())):
        raise _refusal(network, "its initial weights do not follow from torch.manual_seed.")
    buffers = dict(first.named_buffers())
    if not all(torch.equal(b, c) for b, c in zip(buffers.values(), other.buffers(), strict=True)):
        raise _refusal(network, "its buffers depend on the seed, and all members share them.")
    outputs_flops = _check_outputs(network, first)
    plan = _Plan(
        first.train(),
        tuple(parameters),
        tuple(tuple(p.shape) for p in parameters.values()),
        buffers,
        True,
        outputs_flops,
    )
    return _with_vmap(network, plan)


def _made(network: ModuleNetwork, factory: Callable[..., Any], seed: int) -> nn.Module:
    """Return the user's module, with the initial weights of a seed."""
    sizes: dict[str, Any] = {"inputs": network.inputs, "outputs": network.outputs, "classes": network.outputs}
    sizes |= {name: getattr(network, name) for name in ("width", "depth") if getattr(network, name)}
    if network.image_shape:
        sizes |= {"image_shape": network.image_shape, "channels": network.image_shape[0]}
        sizes["side"] = network.image_shape[-1]
    takes = inspect.signature(factory).parameters.values()
    unknown = [p.name for p in takes if p.name not in sizes and p.default is p.empty and p.kind not in (2, 4)]
    if unknown:
        raise _refusal(
            network, f"its parameter {unknown[0]!r} has no default and is none of {', '.join(sizes)}."
        )
    has_any = any(p.kind is p.VAR_KEYWORD for p in takes)
    given = {p.name: sizes[p.name] for p in takes if p.name in sizes}
    with (
        torch.random.fork_rng(devices=[]),
        _reported(network, "it cannot be made"),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Lazy modules are a new feature")
        torch.manual_seed(seed)
        made = factory(**(sizes if has_any else given))
        if isinstance(made, nn.Module) and any(map(is_lazy, (*made.parameters(), *made.buffers()))):
            with torch.no_grad():  # a lazy module draws its weights in its first call
                made(torch.zeros(1, *(network.image_shape or (network.inputs,))))
    if not isinstance(made, nn.Module):
        raise _refusal(network, f"it makes a {type(made).__name__}, and not a torch.nn.Module.")
    return made.to("cpu", torch.float32)


def _check_outputs(network: ModuleNetwork, module: nn.Module) -> int:
    """Return the multiply-adds for one example; raise ValueError for outputs that the loop cannot use."""
    drawn = torch.Generator().manual_seed(0)
    x = torch.randn(_PROBES, network.inputs, generator=drawn)
    x = x.reshape(_PROBES, *(network.image_shape or (network.inputs,)))
    before = [b.clone() for b in module.buffers()]
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with _reported(network, f"it cannot compute inputs of shape {tuple(x.shape)}"):
            outputs = module.train()(x)
            if not isinstance(outputs, Tensor):
                raise _refusal(network, f"it returns a {type(outputs).__name__}, and not a tensor.")
        if outputs.shape != (_PROBES, network.outputs) and outputs.shape != (_PROBES,) * (
            network.outputs == 1
        ):
            got = f"for inputs {tuple(x.shape)} it returns {tuple(outputs.shape)}"
            raise _refusal(network, f"{got}, and not ({_PROBES}, {network.outputs}).")
        torch.manual_seed(1)
        changed = not all(map(torch.equal, before, module.buffers()))
        with _reported(network, "it cannot compute single examples, as with batch statistics"):
            alone = torch.cat([module(x[i : i + 1]) for i in range(_PROBES)])
            with FlopCounterMode(display=False) as counter:
                module(x[:1])
            evaluated = module.eval()(x)
    spread = _TOLERANCE * max(1.0, float(outputs.abs().max()))
    differs = any(float((outputs - one).abs().max()) > spread for one in (alone, evaluated))
    if changed or differs or not bool(outputs.isfinite().all()):
        raise _refusal(network, f"{_culprit(module)} {_ADVICE}")
    return max(1, counter.get_total_flops() // 2)


def _culprit(module: nn.Module) -> str:
    """Return what makes the outputs of a module depend on more than the weights and the example."""
    for name, part in module.named_modules():
        for cls, what in _MODES:
            share = getattr(part, "p", getattr(part, "dropout", 0.0))
            if isinstance(part, cls) and (what != "dropout" or share):
                return f"its part {name or type(part).__name__!r} ({type(part).__name__}) has {what}."
    return (
        "its outputs depend on the other examples of the batch, on random numbers or on the mode of training."
    )


def _with_vmap(network: ModuleNetwork, plan: _Plan) -> _Plan:
    """Return a plan that uses vmap only if vmap gives the same outputs and gradients as single members."""
    weights = tuple(torch.stack([p.detach(), 0.9 * p.detach()]) for p in plan.template.parameters())
    drawn = torch.Generator().manual_seed(1)
    x = torch.randn(2, _PROBES, *(network.image_shape or (network.inputs,)), generator=drawn)
    forward = plan.forward(x.dtype, x.device)

    def gradients(of: Callable[[Weights, Tensor], Tensor]) -> list[Tensor]:
        leaves = tuple(w.clone().requires_grad_() for w in weights)
        outputs = of(leaves, x)
        found = torch.autograd.grad(outputs.square().sum(), leaves, allow_unused=True)
        for name, gradient in zip(plan.names, found, strict=True):
            if gradient is None:
                raise _refusal(network, f"its parameter {name!r} does not change the outputs.")
        return [outputs.detach(), *found]

    with _reported(network, "its gradients cannot be computed"):
        alone = gradients(lambda ws, x: torch.stack([forward(tuple(w[i] for w in ws), x[i]) for i in (0, 1)]))
    with contextlib.suppress(Exception), torch.random.fork_rng(devices=[]):
        with sdpa_kernel(SDPBackend.MATH):
            together = gradients(vmap(forward))
        scale = [1e-6 + float(one.abs().max()) for one in alone]
        gaps = [float((a - b).abs().max()) for a, b in zip(alone, together, strict=True)]
        if all(gap <= _TOLERANCE * size for gap, size in zip(gaps, scale, strict=True)):
            return plan
    return replace(plan, at_once=False)


@contextlib.contextmanager
def _reported(network: ModuleNetwork, what: str) -> Iterator[None]:
    """Turn an error of the user's code into one sentence."""
    try:
        yield
    except Exception as error:
        if isinstance(error, _RefusedModule):
            raise
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise _refusal(network, f"{what}: {text[:200]}.{_channels_hint(network, text)}") from error


def _channels_hint(network: ModuleNetwork, text: str) -> str:
    """Return a sentence on the channels of the images if an error of torch is about channels."""
    if not network.image_shape or "channel" not in text:
        return ""
    channels = network.image_shape[0]
    always = " Pictures of a folder always have 3 channels, grey ones too." if channels == 3 else ""
    return (
        f"{always} The images have {channels} channel{'s' if channels > 1 else ''}: give the first layer the "
        "argument `channels` of the function that makes the module."
    )


class _RefusedModule(ValueError):
    """The error about a module that errsrc cannot train."""


def _refusal(network: ModuleNetwork, why: str) -> _RefusedModule:
    return _RefusedModule(f"errsrc cannot train {network.module}: {why}")
