"""Sub-bit kernels: the binary 3x3 kernels of a layer come from a small, learned set."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xnorflow.train.binarize.estimators import hard_sign

__all__ = ["KERNELS", "LIMIT", "PERIOD", "TAPS", "UNDECIDED", "Codebook", "kernel_numbers"]

TAPS = 9
KERNELS = 2**TAPS
"""How many binary 3x3 kernels there are."""

PERIOD = 25
"""The codewords learn in every step of this many."""

UNDECIDED = 1e-3
"""Latent codewords nearer to 0 leave the bit as it was."""

LIMIT = 3.0
"""Latent codewords are clipped to +-this."""


def kernel_numbers(kernels: Tensor) -> Tensor:
    """Return int64 numbers, 0 to 511, of kernels of +1 and -1, (count, 9): tap t is bit t."""
    bits = (kernels > 0).long()
    return (bits << torch.arange(TAPS, device=kernels.device)).sum(1)


def _kernels(numbers: Tensor) -> Tensor:
    """Return the kernels of such numbers, float32 (count, 9)."""
    return ((numbers[:, None] >> torch.arange(TAPS, device=numbers.device)) & 1).float() * 2 - 1


@torch.no_grad()
def _choose(weights: Tensor, words: Tensor) -> Tensor:
    """Return the number of the codeword nearest to each kernel, (out channels * in channels,)."""
    with torch.autocast(weights.device.type, enabled=False):
        return (weights.reshape(-1, TAPS).float() @ words.T).argmax(1)


class Codebook(nn.Module):
    """``2**bits`` codewords among the 512 binary 3x3 kernels; every kernel of the layer is the nearest one.

    Wang et al.: Sub-bit Neural Networks, https://arxiv.org/abs/2110.09195, by the authors' code, which was read::

        b_c = argmin_k ||w_c - k||_2                 the first of equals
        k   = sign(p), where |p| < 0.001 as it was before
        dL/dw_c = dL/db_c, times the slope of the weights' estimator
        dL/dp_k = sum of dL/db_c over all c that k was chosen for, in every 25th step only

    p is clipped to [-3, 3]. Codewords begin as different kernels drawn at random, p at +-1, and where two have become
    equal, the later one is replaced by a kernel that the set does not hold, drawn at random. Ours: it is replaced right
    before its next use, not before the optimizer moves it; the draw depends on the codewords and the step alone, so
    that all processes of a distributed training make the same; in eval mode nothing changes. All codewords have the
    same norm, so the nearest is the one of the largest scalar product.

    The published networks have a real first and last layer. In hardware a kernel takes ``bits`` bits of memory in place
    of 9, and popcounts of the codewords, one for each input channel, can be shared by all output channels. A deployed
    network has plain binary weights, which happen to repeat.

    Args:
        bits: tau, 4 to 8.
    """

    memory: Tensor
    steps: Tensor

    def __init__(self, bits: int) -> None:
        super().__init__()
        kernels = _kernels(torch.randperm(KERNELS)[: 2**bits])
        self.latent = nn.Parameter(kernels)
        self.register_buffer("memory", kernels.clone())
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def codewords(self) -> Tensor:
        """Return the present codewords, +1 and -1, (2**bits, 9)."""
        return torch.where(self.latent.abs() >= UNDECIDED, hard_sign(self.latent), self.memory)

    @torch.no_grad()
    def nearest(self, weights: Tensor) -> Tensor:
        """Return weights of +1 and -1, of the same shape (out channels, in channels, 3, 3): the nearest codewords."""
        words = self.codewords()
        return words[_choose(weights, words)].view(weights.shape).to(weights.dtype)

    def forward(self, binary: Tensor, weights: Tensor) -> Tensor:
        """Return the nearest codewords, with the gradient of ``binary``; in training, count a step.

        Args:
            binary: signs of ``weights`` with their gradient.
            weights: what is approximated, (out channels, in channels, 3, 3).
        """
        learning = self.training and torch.is_grad_enabled()
        if learning:
            self._begin_step()
        words = self.codewords()
        chosen = _choose(weights, words)
        nearest = words[chosen].view(weights.shape).to(weights.dtype)
        result = binary + (nearest - binary).detach()
        if learning and int(self.steps) % PERIOD == 0:
            latent = self.latent[chosen].view(weights.shape)
            result = result + (latent - latent.detach())
        return result

    @torch.no_grad()
    def _begin_step(self) -> None:
        if int(self.steps) % PERIOD == 0:  # the optimizer may have moved the codewords since the last call
            self.latent.clamp_(-LIMIT, LIMIT)
            self.memory.copy_(self.codewords())
            self._replace_duplicates()
        self.steps += 1

    def _replace_duplicates(self) -> None:
        numbers: list[int] = kernel_numbers(self.memory).tolist()
        places = [place for place, number in enumerate(numbers) if number in numbers[:place]]
        if not places:
            return
        free = [number for number in range(KERNELS) if number not in set(numbers)]
        generator = torch.Generator().manual_seed(sum(numbers) * KERNELS + int(self.steps))
        drawn = torch.tensor(free)[torch.randperm(len(free), generator=generator)[: len(places)]]
        kernels = _kernels(drawn).to(self.memory.device)
        self.memory[places] = kernels
        self.latent[places] = kernels
