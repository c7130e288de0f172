"""Runs a tool's Tcl script with the tool's commands put in by the stand-in; a command that it does not know fails.

A stand-in is no tool: it checks what a script asks for and writes down what it saw. It ends with code 3 when all that
it can check was right, since nothing was made; a check that fails ends it with 1. With ``STANDIN_GO_ON`` set, scripts
that only set a project up end with 0, so that the next script of a flow can be checked too; what synthesizes, places,
routes or writes a bitstream never does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKED_NOT_RUN = 3
MARK = "STAND-IN for tests: not made by AMD's tools"
_GONE = ("exec", "socket", "load", "fileevent", "vwait", "package")
_WRAPPER = """
proc %(name)s args {
  set answer [standin_call %(name)s {*}$args]
  if {[lindex $answer 0]} { error [lindex $answer 1] }
  return [lindex $answer 1]
}
"""
_UNKNOWN = 'proc unknown args { error "STAND-IN: unknown command: [lindex $args 0]" }'


class CheckFailed(Exception):  # noqa: N818
    """A script asks for something that is not so."""


class Stop(Exception):  # noqa: N818
    """The script has come to what a stand-in does not do, or to its end."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Host:
    """A Tcl interpreter that knows only Tcl and the commands that are added.

    Args:
        tool: its name, for the record.
    """

    def __init__(self, tool: str) -> None:
        self.tool, self.record = tool, {"tool": tool, "argv": sys.argv[1:], "cwd": str(Path.cwd())}
        self._commands: dict[str, Callable[..., str]] = {}
        self._failure: Exception | None = None
        import tkinter  # not at the top: boards and the like can be imported where Python has no Tcl

        self._tcl, self._tcl_error = tkinter.Tcl(), tkinter.TclError
        for name in _GONE:
            self._tcl.eval(f"catch {{rename {name} {{}}}}")
        self._tcl.eval(_UNKNOWN)
        given = sys.argv[sys.argv.index("-tclargs") + 1 :] if "-tclargs" in sys.argv else []
        self._tcl.eval(f"set argc {len(given)}; set argv {{{' '.join(given)}}}")
        self._tcl.createcommand("standin_call", self._call)
        self.add("exit", lambda code="0": self._exit(int(code)))

    def add(self, name: str, command: Callable[..., Any]) -> None:
        """Give the interpreter a command; its result is a string or a list of them."""
        self._commands[name] = command
        if "::" in name:
            self._tcl.eval(f"namespace eval {name.split('::')[0]} {{}}")
        self._tcl.eval(_WRAPPER % {"name": name})

    def split(self, text: str) -> list[str]:
        """Return the elements of a Tcl list."""
        return [str(element) for element in self._tcl.splitlist(text)]

    def join(self, elements: list[str]) -> str:
        """Return a Tcl list."""
        return str(self._tcl.eval("list " + " ".join("{" + element + "}" for element in elements)))

    def run(self, script: Path) -> int:
        """Run a script, save the record, and return the exit code."""
        self.record["script"] = script.read_text(encoding="utf-8")
        code, reason = CHECKED_NOT_RUN, "end of the script"
        try:
            self._tcl.eval(f"source {{{script}}}")
        except self._tcl_error as error:
            failure = self._failure
            if isinstance(failure, Stop):
                code, reason = failure.code, str(failure)
            else:
                code, reason = 1, str(error)
        if code == CHECKED_NOT_RUN and reason == "end of the script" and os.environ.get("STANDIN_GO_ON"):
            code = 0
        self.record |= {"code": code, "reason": reason}
        return code

    def source(self, script: Path) -> None:
        """Run a further script inside the one that is running."""
        self._tcl.eval(f"source {{{script}}}")

    def _exit(self, code: int) -> str:
        raise Stop(CHECKED_NOT_RUN if code == 0 else 1, "end of the script" if code == 0 else f"exit {code}")

    def _call(self, name: str, *arguments: str) -> str:
        try:
            result = self._commands[name](*arguments)
        except (CheckFailed, Stop) as failure:
            self._failure = failure
            return self.join(["1", f"{name}: {failure}"])
        except Exception as failure:  # a wrong number of arguments is the script's fault, too
            self._failure = failure
            return self.join(["1", f"{name} {' '.join(arguments)}: {type(failure).__name__} {failure}"])
        text = self.join([str(element) for element in result]) if isinstance(result, list) else str(result or "")
        return self.join(["0", text])

    def save(self) -> None:
        """Say how it ended, here and in the tool's log, and write the record."""
        severity = "ERROR" if self.record["code"] == 1 else "INFO"
        line = f"{severity}: [{self.tool}] {MARK}: {self.record['reason']}"
        print(line)
        Path(f"{self.tool}.log").write_text(line + "\n")
        folder = Path(os.environ["STANDIN_RECORD"])
        number = len(list(folder.glob("*.json")))
        (folder / f"{number:03}_{self.tool}_{os.getpid()}.json").write_text(json.dumps(self.record, indent=2))


def options_of(arguments: tuple[str, ...], *flags: str) -> tuple[dict[str, str], list[str]]:
    """Return options with their values, ``flags`` having none, and the other arguments."""
    options: dict[str, str] = {}
    others: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in flags:
            options[word] = "1"
        elif word.startswith("-") and len(word) > 1 and not word[1].isdigit():
            if not rest:
                raise CheckFailed(f"option {word} without a value")
            options[word] = rest.pop(0)
        else:
            others.append(word)
    return options, others
