"""Exceptions of xnorflow: every one says where, what was found, what is allowed and what to do."""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DataError",
    "DeployError",
    "ExportError",
    "GenerateError",
    "InputModelError",
    "LowerError",
    "OutputError",
    "SimulateError",
    "SynthesizeError",
    "ToolError",
    "TrainError",
    "UserError",
    "XnorflowError",
]


class XnorflowError(Exception):
    """Root of the exception tree. Raised directly only for faults of xnorflow itself."""


class UserError(XnorflowError):
    """A condition the user can mend; the command line prints it as one line and exits with code 2.

    Args:
        where: the node, layer, key, file or tool concerned.
        found: what was found there.
        allowed: what would have been accepted; empty where nothing but the remedy is of use.
        fix: what to do about it.
    """

    def __init__(self, where: str, found: str, allowed: str = "", fix: str = "") -> None:
        self.where, self.found, self.allowed, self.fix = where, found, allowed, fix
        message = f"{where}: {found}"
        if allowed:
            message += f"; allowed: {allowed}"
        if fix:
            message += f"; {fix}"
        super().__init__(" ".join(message.split()))

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str, str, str]]:
        """Survive the trip through a worker process."""
        return type(self), (self.where, self.found, self.allowed, self.fix)


class ConfigError(UserError):
    """A configuration file or a command-line option is not usable."""


class DataError(UserError):
    """A data set is missing, empty or unreadable."""


class OutputError(UserError):
    """The output folder cannot be written, or another run holds it."""


class DeployError(UserError):
    """An accelerator cannot be loaded, refuses its input, or does not answer."""


class ToolError(UserError):
    """An external tool is missing or failed."""


class TrainError(UserError):
    """Training cannot go on."""


class ExportError(UserError):
    """A checkpoint cannot be exported, or the export differs from the network."""


class InputModelError(UserError):
    """An ONNX file is corrupt or holds something that has no hardware form."""


class LowerError(UserError):
    """A lowering step failed or changed the function of the network."""


class GenerateError(UserError):
    """RTL cannot be generated for a node."""


class SimulateError(UserError):
    """The simulated design differs from its reference, or hangs."""


class SynthesizeError(UserError):
    """Synthesis failed or the design exceeds the board."""
