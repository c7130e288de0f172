"""The board's side: an accelerator as a Python object. Needs numpy only; pynq where there is a board."""
