"""A ``with`` block closes what it holds, by an error as well, and hides none."""

import pytest

from xnorflow.artifact.closing import Closing


class Held(Closing):
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_leaving_the_block_closes():
    with Held() as held:
        assert isinstance(held, Held) and held.closed == 0
    assert held.closed == 1
    with pytest.raises(KeyError), held:
        raise KeyError
    assert held.closed == 2
