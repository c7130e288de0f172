"""Yosys: map a design to LUTs, flip-flops and memories, compare with the board."""
