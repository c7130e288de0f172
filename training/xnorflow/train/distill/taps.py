"""The outputs of a network's tapped layers."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from xnorflow.train.models.base import Network

__all__ = ["Taps"]


class Taps:
    """Keep what the layers named in ``network.taps`` put out, inside a ``with`` block.

    ::

        with Taps(network) as taps:
            logits = network(images)
        features = taps.features

    Outputs are kept as they are, no copy, gradients and type included. Leaving the block takes the hooks off the
    network, errors included; features stay. A second forward pass in the block replaces those of the first.

    Args:
        network: names its taps.
    """

    def __init__(self, network: Network) -> None:
        self._layers: dict[str, nn.Module] = {name: network.get_submodule(name) for name in network.taps}
        self._outputs: dict[str, Tensor] = {}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> Self:
        assert not self._handles, "the block is entered once at a time"
        self._outputs.clear()
        self._handles = [layer.register_forward_hook(self._keep(name)) for name, layer in self._layers.items()]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    @property
    def features(self) -> dict[str, Tensor]:
        """Outputs by name of the layer, in the order of ``network.taps``, whatever the order of computation.

        Raises:
            KeyError: no forward pass, or one that left a tapped layer out.
        """
        return {name: self._outputs[name] for name in self._layers}

    def _keep(self, name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(layer: nn.Module, inputs: Any, output: Tensor) -> None:
            self._outputs[name] = output

        return hook
