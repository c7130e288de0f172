"""``--jobs`` of the commands that simulate: what it sets, and what it refuses."""

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.flow import commands
from xnorflow.flow.config import load_config, settings_from_options
from xnorflow.simulate.config import SimulateSettings


@pytest.fixture
def taken(monkeypatch):
    """Have commands do nothing; returns the arguments that they were called with."""
    arguments: list[object] = []
    for command in ("run", "build", "simulate"):
        monkeypatch.setattr(commands, command, lambda *given, **named: arguments.extend(given))
    return arguments


COMMANDS = (("run", "a.toml"), ("build", "a.onnx", "--output", "a"), ("simulate", "a"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_jobs_lie_over_the_settings(cli, taken, command):
    for given, jobs in (((), None), (("--jobs", "12"), 12)):
        taken.clear()
        assert cli(*command, *given).code == 0
        overrides = [entry for argument in taken if isinstance(argument, list) for entry in argument]
        found = [(keys, value) for keys, option, value in overrides if option == "--jobs"]
        assert found == [(("simulate", "jobs") if command[0] == "run" else ("jobs",), jobs)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("jobs", ["0", "1025", "many"])
def test_jobs_out_of_range_are_refused(cli, taken, command, jobs):
    outcome = cli(*command, "--jobs", jobs)
    assert outcome.code == 2 and "Invalid value for '--jobs': " in outcome.error_line()
    assert not taken


def test_jobs_of_a_file_and_over_it(experiment):
    file = experiment(new="[simulate]\njobs = 5\n")
    assert load_config(file).simulate.jobs == 5
    assert load_config(file, commands.simulate_overrides(None, None, 7, table="simulate")).simulate.jobs == 7
    with pytest.raises(ConfigError, match=r"key simulate\.jobs: 1025; allowed: less than or equal to 1024"):
        load_config(experiment(new="[simulate]\njobs = 1025\n"))
    with pytest.raises(ConfigError, match="option --jobs: 0; allowed: greater than or equal to 1"):
        settings_from_options(SimulateSettings, commands.simulate_overrides(None, None, 0))
