"""Generation: RTL for every node, and the top that connects them."""
