"""Settings of the simulation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["SimulateSettings"]


class SimulateSettings(BaseModel):
    """How a design is simulated.

    Args:
        frames: frames to stream, from the first on; None: all there are.
        stall_probability: how likely each side of the design pauses for a cycle, in [0, 0.95].
        seed: of the stalls.
        timeout_cycles: cycles without any transfer after which the design counts as stuck; None: from its size.
        jobs: processes at a time: C++ compilers, then simulations, each of its share of the frames.
        require_predicted_cycles: whether a frame that takes other than the predicted cycles is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int | None = Field(default=None, ge=1)
    stall_probability: float = Field(default=0.3, ge=0.0, le=0.95)
    seed: int = Field(default=1, ge=0, lt=2**63)
    timeout_cycles: int | None = Field(default=None, ge=1)
    jobs: int = Field(default=2, ge=1, le=1024)
    require_predicted_cycles: bool = True
