"""Verilator: build a design as a shared library, stream frames through it, compare."""
