"""Terms of a training's loss, one method a file; ``config`` names them, ``registry`` makes them."""
