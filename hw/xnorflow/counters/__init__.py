"""Popcount compressors for LUTs of six inputs: planned, evaluated, written as SystemVerilog."""
