"""Export: a checkpoint in, a QONNX file, golden vectors and a manifest out."""
