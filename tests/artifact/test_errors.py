from __future__ import annotations

import pickle

import pytest

from xnorflow.artifact import errors
from xnorflow.artifact.errors import ExportError, UserError, XnorflowError


def test_a_message_is_one_line_of_where_what_allowed_and_remedy():
    error = ExportError("node  a", "found\nthis", "that", "do so")
    assert str(error) == "node a: found this; allowed: that; do so"


def test_empty_parts_are_left_out():
    assert str(UserError("here", "trouble")) == "here: trouble"
    assert str(UserError("here", "trouble", fix="leave")) == "here: trouble; leave"


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name not in ("UserError", "XnorflowError")])
def test_every_error_of_a_stage_is_a_user_error_and_survives_a_worker_process(name):
    kind = getattr(errors, name)
    error = pickle.loads(pickle.dumps(kind("where", "found", "allowed", "fix")))
    assert type(error) is kind
    assert isinstance(error, UserError) and isinstance(error, XnorflowError)
    assert (error.where, error.found, error.allowed, error.fix) == ("where", "found", "allowed", "fix")
    assert str(error) == "where: found; allowed: allowed; fix"
