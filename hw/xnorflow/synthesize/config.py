"""Settings of the synthesis."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from xnorflow.boards.catalog import Family

__all__ = ["SynthesizeSettings"]


class SynthesizeSettings(BaseModel):
    """How a design is synthesized.

    Args:
        enabled: whether `xnorflow run` synthesizes at all.
        families: chip families to map to; empty: the board's.
        jobs: nodes at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    families: tuple[Family, ...] = ()
    jobs: int = Field(default=2, ge=1)
