"""A PYNQ board that is not there: processor, memory and the accelerator's RTL, for unmodified pynq. Needs numpy only.

Everything here runs in an environment of its own beside pynq, without torch, FINN, pydantic, typer and rich.
"""
