"""Comparison of training methods: the same networks, data, epochs and seeds, one method beside the other."""
