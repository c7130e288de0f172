"""What stands around a feature map before a convolution."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from xnorflow.train.binarize.layers import Activation, FormState
from xnorflow.train.models.config import Padding

__all__ = ["Pad", "on_signs"]


def on_signs(state: FormState) -> bool:
    """Return whether the network computes on signs: padding and trunk are then those of the hardware."""
    return state.activation in (Activation.SIGN, Activation.BOTH)


class Pad(nn.Module):
    """Surround maps.

    With ``Padding.MINUS_ONE``, a binary convolution sees nothing but +1 and -1, and its border needs no third level:
    -1 is the sign of a value below the threshold. Where no signs are, in the forms of ReLU and tanh, the border is 0 as
    in the papers. ``Activation.BOTH`` carries signs and their hard-tanh twins; both are surrounded by -1, the end of
    the hard tanh's range, so that the two agree where the real path fades into the binary one.

    Args:
        padding: kind.
        amount: rows and columns on each side.
    """

    def __init__(self, padding: Padding, amount: int = 1) -> None:
        super().__init__()
        self.padding, self.amount = padding, amount

    def forward(self, values: Tensor, state: FormState) -> Tensor:
        """Return (frames, channels, height + 2 amount, width + 2 amount)."""
        value = -1.0 if self.padding is Padding.MINUS_ONE and on_signs(state) else 0.0
        return functional.pad(values, [self.amount] * 4, value=value)
