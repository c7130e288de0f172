"""Latent weights as a real-valued feature extractor beside the binary one."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import Activation, BinarizedWeights, FormState, Sign, in_form, set_form
from xnorflow.train.distill.attention import attention_matching
from xnorflow.train.distill.config import AttentionForm, LatentUsage, LatentWeights
from xnorflow.train.distill.hinton import divergence
from xnorflow.train.distill.taps import Taps
from xnorflow.train.distill.tensors import beside, resting, widened
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["LatentWeightsTerm", "real_share"]

_REAL_PATHS = {
    LatentUsage.TWO_STREAM: FormState(True, Activation.HARDTANH),
    LatentUsage.BINARY_TWIN: FormState(True, Activation.SIGN),
}


def real_share(progress: float, until: float) -> float:
    """Return the real path's share in every layer: a half cosine from 1 at the start to 0 at ``until``, then 0.

    Args:
        progress: share of the stage done, in [0, 1].
        until: where it ends, in (0, 1].
    """
    return (1 + math.cos(math.pi * progress / until)) / 2 if progress < until else 0.0


class LatentWeightsTerm(Term):
    """Xu et al.: Improving BNNs through Fully Utilizing Latent Weights, https://arxiv.org/abs/2110.05850.

    The abstract says that latent weights enter the computation as a real-valued feature extractor, that several ways
    were tried, and that there is a supervision made for it. No code was published and the full text was not at hand:
    **everything else here is our reconstruction.**

    ``two_stream`` and ``binary_twin`` run the student a second time on the same images, with its latent weights as they
    are, and hard tanh respectively sign as activation. All is shared but the BatchNorms, of which this term has its own
    copies: parameters that are trained, and statistics; the student's own are not touched. With p_b, F_b the binary
    path's probabilities and features, p_r, F_r the real path's, and sg a stopped gradient, the term is ::

        own_labels * CE(p_r, labels) + teaching * KL(sg(p_r) || p_b) + attention * AT(sg(F_r), F_b)

    with :func:`attention_matching` in the paper's form. The binary path's own CE is a term of its own. W gets gradients
    from both paths.

    ``in_layer`` has no second pass: every layer computes ``(1 - s) * binary + s * real``, s as :func:`real_share`. The
    term is 0 and the three factors do not count. BatchNorm's statistics are those of the mixture while it lasts: leave
    some of the stage behind ``until``, in which they become the binary network's.

    Args:
        settings: usage, factors, end of the mixing.

    Raises:
        TrainError: all factors are 0.
    """

    def __init__(self, settings: LatentWeights) -> None:
        super().__init__()
        self._settings = settings
        mixed = settings.usage is LatentUsage.IN_LAYER
        if not mixed and settings.own_labels == settings.teaching == settings.attention == 0:
            raise TrainError(
                f"loss {settings.kind}",
                "own_labels, teaching and attention are all 0",
                "at least one above 0",
                "set own_labels or teaching to 1, or take the loss out",
            )
        self.needs_features = settings.attention > 0 and not mixed
        self.norms = nn.ModuleList()
        self._names: tuple[str, ...] = ()
        self._students: tuple[Network, ...] = ()  # in a tuple: not among the term's modules

    def attach(self, student: Network, probe: StepView) -> None:
        """Check the student, and copy its BatchNorms where there is a second pass.

        Raises:
            TrainError: the stage is not binary, or the network cannot mix both paths in its layers.
        """
        self._check_form(student)
        self._students = (student,)
        if self._settings.usage is LatentUsage.IN_LAYER:
            self._check_mixing(student, probe)
            return
        found = [(name, layer) for name, layer in student.named_modules() if isinstance(layer, _BatchNorm)]
        self._names = tuple(name for name, _ in found)
        self.norms.extend(copy.deepcopy(layer) for _, layer in found)

    def before_forward(self, progress: float) -> None:
        """For ``in_layer``, set the student's mix."""
        if self._settings.usage is not LatentUsage.IN_LAYER:
            return
        share = real_share(progress, self._settings.until)
        set_form(self._students[0], FormState(False, Activation.BOTH, share) if share > 0 else Form.BINARY)

    def forward(self, view: StepView) -> Tensor:
        """Return the term; it runs the student once more, unless ``in_layer``."""
        if self._settings.usage is LatentUsage.IN_LAYER:
            return resting(view)
        logits, features = self._real_pass(view.images)
        loss = self._settings.own_labels * functional.cross_entropy(logits, view.labels)
        loss = loss + self._settings.teaching * divergence(logits, view.logits)
        if self._settings.attention > 0:
            pairs = [beside(view.features[name], real) for name, real in features.items()]
            loss = loss + self._settings.attention * attention_matching(pairs, AttentionForm.PAPER)
        return loss

    def end_stage(self) -> None:
        """For ``in_layer``, leave the student binary."""
        if self._settings.usage is LatentUsage.IN_LAYER:
            set_form(self._students[0], Form.BINARY)

    def _real_pass(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        student = self._students[0]
        with in_form(student, _REAL_PATHS[self._settings.usage]), Taps(student) as taps:
            logits: Tensor = functional_call(student, dict(self._own_norms()), (images,))
        return widened(logits), taps.features

    def _own_norms(self) -> Iterator[tuple[str, Tensor]]:
        """Yield this term's parameters and statistics by the names they have in the student.

        Handed to ``functional_call``, they stand in for the student's during one pass, which also writes its
        statistics into them; mode and momentum stay the student's.
        """
        for name, norm in zip(self._names, self.norms, strict=True):
            for key, tensor in (*norm.named_parameters(), *norm.named_buffers()):
                yield f"{name}.{key}", tensor

    def _check_form(self, student: Network) -> None:
        states = [layer.state for layer in student.modules() if isinstance(layer, Sign | BinarizedWeights)]
        if any(state.real_weights or state.activation is not Activation.SIGN for state in states):
            raise TrainError(
                f"loss {self._settings.kind}",
                "the network is not in its binary form in this stage",
                'a stage of form "binary"',
                "move the loss there",
            )

    def _check_mixing(self, student: Network, probe: StepView) -> None:
        modes = [(layer, layer.training) for layer in student.modules()]
        student.eval()
        try:
            with torch.no_grad(), in_form(student, FormState(False, Activation.BOTH, 0.5)):
                fits = student(probe.images).shape == probe.logits.shape
        except RuntimeError:  # torch's word for shapes that do not fit
            fits = False
        finally:
            for layer, mode in modes:
                layer.training = mode
        if not fits:
            raise TrainError(
                f"loss {self._settings.kind}",
                'usage is "in_layer", and a layer of the network reads signs without being able to mix both paths',
                '"two_stream" or "binary_twin" with this network',
                "set usage",
            )
