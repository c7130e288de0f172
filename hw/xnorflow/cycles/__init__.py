"""Cycle model: what each handshake of a stitched accelerator does in every cycle, without its data and without RTL."""
