"""Recurrent bilinear optimization of binary networks (RBONN)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import BinarizedWeights
from xnorflow.train.binarize.scales import RectifiedScale
from xnorflow.train.distill.config import Rbonn, RbonnForm
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["RbonnTerm", "reconstruction", "smallest"]


def reconstruction(weights: Tensor, binary: Tensor, alpha: Tensor, form: RbonnForm) -> Tensor:
    """Return the bilinear loss of a layer, a scalar.

    - code: ``1/2 ||w - alpha b||**2``, that is ``1/2 ||w - A^-1 b||**2``
    - paper: ``||b - A w||**2``

    Args:
        weights: w, (out channels, ...).
        binary: b, +1 or -1 of the same shape, held fixed.
        alpha: positive, broadcast over w; A = diag(1 / alpha).
        form: which.
    """
    if form is RbonnForm.CODE:
        return (weights - alpha * binary).square().sum() / 2
    return (binary - weights / alpha).square().sum()


def smallest(values: Tensor, count: int) -> Tensor:
    """Return 1 for the ``count`` smallest of ``values``, (channels,), else 0; of equals, the first are the smaller."""
    ranks = torch.argsort(torch.argsort(values, stable=True), stable=True)
    return (ranks < count).to(values.dtype)


class RbonnTerm(Term):
    """The bilinear loss of latent weights w and scales alpha, and backtracking of w where alpha is small.

    Xu et al.: Recurrent Bilinear Optimization for Binary Neural Networks, https://arxiv.org/abs/2209.01542, as printed
    in the authors' book "Binary Neural Networks", pages 80 to 82, and by their code; both were read, the paper was not.

    alpha is the scale of ``weight_scale = "rectified_channel"``: one positive number for each output channel, learned
    with the task and folded into the BatchNorm when the network is deployed. The loss is :func:`reconstruction`, the
    factor lambda is the term's ``weight``. The code's b is 0.02 sign(w); here 0.02 is part of alpha. Of alpha, this
    loss and the task give the exact gradient, where the code has ``sum g w`` for the task's ``sum g b``.

    After each step of the optimizer::

        w <- w + U_o r,    r = DReLU(w, A), 0 except where A is dense

    U is one number for each output channel, begun at ``strength``. A is dense where 1 / alpha ranks above
    ``threshold`` of all channels: where alpha is among the smallest ``1 - threshold``.

    - code: ``r = -dL/dw``, a second step down the gradient that the first one used.
    - paper: r is w before the step, and w must be sparse besides: mean|w| not among the largest ``1 - threshold``. That
      density is judged by mean|w| is our reading. At a strength of 0.2 weights then grow to the ends of their range
      within some dozen steps and hardly change their signs any more: take a smaller one, such as 0.01.

    U follows the gradient of the next step, ``dL/dU_o = sum dL/dw r`` over the channel, by an Adam of its own, and its
    absolute value is taken. Other than the code:

    - w itself moves. The code moves w for one forward pass only and takes the optimizer's step from where it was; the
      book's recursion keeps what was added, and so do we.
    - Channels are ranked. The code compares the indices that a sort returns with the bound, not the ranks: as many
      channels, but others.

    U and its optimizer live where the student does, are not among :meth:`parameters`, and travel in the extra state,
    together with r, which the next step needs.

    Args:
        settings: form, threshold, strength, learning rate of U.
    """

    def __init__(self, settings: Rbonn) -> None:
        super().__init__()
        self._settings = settings
        self._layers: tuple[tuple[BinarizedWeights, RectifiedScale], ...] = ()  # in a tuple: the student's, not ours
        self._strengths: list[Tensor] = []
        self._injected: list[Tensor | None] = []
        self._before: list[Tensor] = []
        self._optimizer: Adam | None = None

    def attach(self, student: Network, probe: StepView) -> None:
        """Find the layers and make U.

        Raises:
            TrainError: no layer has a scale that can be alpha, or the stage's weights are real.
        """
        layers = [layer for layer in student.modules() if isinstance(layer, BinarizedWeights)]
        pairs = zip(layers, [layer.scaling for layer in layers], strict=True)
        folding = [(layer, scale) for layer, scale in pairs if isinstance(scale, RectifiedScale) and scale.folds]
        self._layers = tuple(folding)
        if not self._layers:
            raise TrainError(
                f"loss {self._settings.kind}", "no layer of the network has one learned scale for each output channel",
                'weight_scale "rectified_channel" on weights of 1 bit', "set weight_scale, or take the loss out",
            )  # fmt: skip
        if any(layer.state.real_weights for layer, _ in self._layers):
            raise TrainError(
                f"loss {self._settings.kind}", "the weights are real in this stage", 'a stage of form "binary"',
                "move the loss there",
            )  # fmt: skip
        start = self._settings.strength
        self._strengths = [torch.full_like(scale.matrix.detach().flatten(), start) for _, scale in self._layers]
        self._injected = [None] * len(self._layers)
        self._optimizer = Adam(self._strengths, lr=self._settings.learning_rate)

    def forward(self, view: StepView) -> Tensor:
        """Return the loss of the student's present weights; the view has no part in it."""
        if self._settings.form is RbonnForm.PAPER:
            self._before = [layer.weight.detach().clone() for layer, _ in self._layers]
        losses = [
            reconstruction(layer.weight, scale.binary(layer.weight), scale.factor(), self._settings.form)
            for layer, scale in self._layers
        ]
        return torch.stack(losses).sum()

    @torch.no_grad()
    def after_step(self, view: StepView) -> None:
        """Let U learn, and add ``U r`` to the weights of the layers that had a gradient."""
        assert self._optimizer is not None
        for index, (layer, scale) in enumerate(self._layers):
            gradient, strength, injected = layer.weight.grad, self._strengths[index], self._injected[index]
            strength.grad = None
            if gradient is None:  # a step of BatchNorms alone
                continue
            gradient = torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)  # in 16 bits a step may overflow
            if injected is not None:
                strength.grad = (gradient * injected).flatten(1).sum(1)
            source = -gradient if self._settings.form is RbonnForm.CODE else self._before[index]
            chosen = self._chosen(source, scale)
            self._injected[index] = source * chosen.view(-1, *[1] * (source.dim() - 1))
        self._optimizer.step()
        for (layer, _), strength, injected in zip(self._layers, self._strengths, self._injected, strict=True):
            strength.abs_()
            if injected is not None and layer.weight.grad is not None:
                layer.weight.add_(injected * strength.view(-1, *[1] * (injected.dim() - 1)))

    def get_extra_state(self) -> dict[str, Any]:
        """Return U, its optimizer and r: tensors and plain values."""
        if self._optimizer is None:
            return {}
        return {"strengths": list(self._strengths), "injected": list(self._injected),
                "optimizer": self._optimizer.state_dict()}  # fmt: skip

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`get_extra_state` gave; after :meth:`attach`, on a network of the same shape."""
        if not state:
            return
        assert self._optimizer is not None, "attach comes before load_state_dict"
        for strength, values in zip(self._strengths, state["strengths"], strict=True):
            strength.copy_(values)
        self._injected = [
            None if values is None else values.to(strength.device)
            for values, strength in zip(state["injected"], self._strengths, strict=True)
        ]
        self._optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))  # Adam would go on writing into the state

    def _chosen(self, weights: Tensor, scale: RectifiedScale) -> Tensor:
        """Return 1 for the channels to go back in, else 0, (channels,)."""
        alpha = scale.factor().detach().flatten()
        count = int(len(alpha) * (1 - self._settings.threshold) + 1e-9)  # 0.4 of 10 is 4 in floats, too
        chosen = smallest(alpha, count)
        if self._settings.form is RbonnForm.PAPER:
            chosen = chosen * (1 - smallest(-weights.abs().flatten(1).mean(1), count))
        return chosen
