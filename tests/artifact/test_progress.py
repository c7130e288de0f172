from __future__ import annotations

import pytest

from xnorflow.artifact.progress import Progress, SilentProgress


def test_the_silent_one_takes_everything_and_lets_errors_through():
    progress: Progress = SilentProgress()
    with progress.task("work", 3) as advance:
        advance(1, "note")
        advance(2, "")
    with pytest.raises(KeyError), progress.task("work"):
        raise KeyError
