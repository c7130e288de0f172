"""Adversarial training of rectified binary convolutional networks (RBCN)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.func import functional_call
from torch.nn import functional
from torch.optim import Adam

from xnorflow.train.distill.check import check_features
from xnorflow.train.distill.config import Adversarial
from xnorflow.train.distill.tensors import paired_features, resting, widened
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["AdversarialTerm", "condensed"]

WIDEST = 512
LEAK = 0.2
BETAS = (0.5, 0.999)


def condensed(features: Tensor) -> Tensor:
    """Return (frames, at most 512) of features: flat where that is enough, else the mean over positions.

    More than 512 channels or neurons are averaged in groups of neighbors, as few as need be.

    Args:
        features: (frames, channels, height, width) or (frames, neurons).
    """
    flat = features.flatten(1)
    if flat.shape[1] > WIDEST and features.dim() > 2:
        flat = features.flatten(2).mean(2)
    group = -(-flat.shape[1] // WIDEST)
    return functional.avg_pool1d(flat.unsqueeze(1), group, ceil_mode=True).squeeze(1) if group > 1 else flat


class AdversarialTerm(Term):
    """``sum_l mean_frames (1 - D_l(T_l))**2``; T_l are the student's features, D_l in (0, 1) a discriminator.

    Liu et al.: RBCN, https://arxiv.org/abs/1908.07748, as printed in the authors' book "Binary Neural Networks",
    equations 3.62, 3.63 and 3.72. After each step of the student every discriminator makes one of its own, upwards on
    ``log D_l(R_l) + log(1 - D_l(T_l))``, R_l the teacher's features. The book says only that they are made of linear
    and LeakyReLU layers: width, learning rate, Adam's betas, :func:`condensed`, the sigmoid at their end, one step for
    each of the student's and ``warmup``, in which neither side moves by this term, are our reconstruction. So is the
    generator's least-squares form, of which the book gives the gradient, ``-2 (1 - D) dD``, but not the loss.

    The discriminators have an optimizer of their own, so they are not among :meth:`parameters`; they live where the
    features of :meth:`attach` do, and travel in the extra state. In distributed training their gradients are averaged
    over all processes, which keeps them equal.

    Args:
        settings: width, learning rate, share of the stage before it starts.
    """

    needs_teacher = True
    needs_features = True

    def __init__(self, settings: Adversarial) -> None:
        super().__init__()
        self._settings = settings
        self._discriminators: tuple[nn.Sequential, ...] = ()  # in a tuple: not among the term's modules
        self._optimizer: Adam | None = None

    def attach(self, student: Network, probe: StepView) -> None:
        """Check the shapes of the features and make the discriminators; they draw on torch's global generator.

        Raises:
            TrainError: no teacher, or features of other shapes.
        """
        check_features(self._settings.kind, probe)
        self._discriminators = tuple(
            _make_discriminator(condensed(features), self._settings.hidden) for features, _ in paired_features(probe)
        )
        if _is_distributed():
            for parameter in self._own_parameters():
                distributed.broadcast(parameter.detach(), src=0)
        self._optimizer = Adam(self._own_parameters(), lr=self._settings.learning_rate, betas=BETAS)

    def forward(self, view: StepView) -> Tensor:
        """Return the sum over the taps; 0 before ``warmup``. The discriminators get no gradients."""
        if view.progress < self._settings.warmup:
            return resting(view)
        pairs = zip(self._discriminators, paired_features(view), strict=True)
        losses = [(1 - _frozen(judge, features).sigmoid()).square().mean() for judge, (features, _) in pairs]
        return torch.stack(losses).sum()

    def after_step(self, view: StepView) -> None:
        """Let each discriminator learn to tell this batch's features apart; nothing before ``warmup``."""
        if view.progress < self._settings.warmup:
            return
        assert self._optimizer is not None
        losses = []
        for judge, (student, teacher) in zip(self._discriminators, paired_features(view), strict=True):
            real, fake = judge(condensed(teacher)), judge(condensed(student.detach()))
            losses.append(functional.softplus(-real).mean() + functional.softplus(fake).mean())  # -log D, -log(1 - D)
        own = self._own_parameters()
        for parameter, gradient in zip(own, torch.autograd.grad(torch.stack(losses).sum(), own), strict=True):
            parameter.grad = _averaged(gradient)
        self._optimizer.step()
        self._optimizer.zero_grad()

    def get_extra_state(self) -> dict[str, Any]:
        """Return the discriminators and their optimizer: tensors and plain values."""
        if self._optimizer is None:
            return {}
        discriminators = [dict(judge.state_dict()) for judge in self._discriminators]
        return {"discriminators": discriminators, "optimizer": self._optimizer.state_dict()}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`get_extra_state` gave; after :meth:`attach`, with features of the same shapes."""
        if not state:
            return
        assert self._optimizer is not None, "attach comes before load_state_dict"
        for judge, weights in zip(self._discriminators, state["discriminators"], strict=True):
            judge.load_state_dict(weights)
        self._optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))  # Adam would go on writing into the state

    def _own_parameters(self) -> list[nn.Parameter]:
        return [parameter for judge in self._discriminators for parameter in judge.parameters()]


def _make_discriminator(features: Tensor, hidden: int) -> nn.Sequential:
    layers = nn.Sequential(nn.Linear(features.shape[1], hidden), nn.LeakyReLU(LEAK), nn.Linear(hidden, 1))
    return layers.to(features.device, features.dtype)


def _frozen(judge: nn.Sequential, features: Tensor) -> Tensor:
    """Return the discriminator's value before the sigmoid; gradients reach the features only."""
    weights = {name: parameter.detach() for name, parameter in judge.named_parameters()}
    return widened(functional_call(judge, weights, (condensed(features),)))


def _is_distributed() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def _averaged(gradient: Tensor) -> Tensor:
    if not _is_distributed():
        return gradient
    distributed.all_reduce(gradient)
    return gradient / distributed.get_world_size()
