"""Lowering: QONNX to FINN's graph of hardware layers, every step checked on integers."""
