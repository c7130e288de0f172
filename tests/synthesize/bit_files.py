"""Heads of .bit files."""

START = bytes.fromhex("00090ff00ff00ff00ff0000001")


def bit_file(part: bytes, *, start: bytes = START) -> bytes:
    """The head of a .bit file, as UG470's readers know it, and some data."""
    fields = b"".join(key + (len(value) + 1).to_bytes(2, "big") + value + b"\0" for key, value in (
        (b"a", b"top_wrapper;UserID=0XFFFFFFFF;Version=2022.2"), (b"b", part), (b"c", b"2022/11/22"),
        (b"d", b"05:00:00"),
    ))  # fmt: skip
    return start + fields + b"e" + (4).to_bytes(4, "big") + b"\xff" * 4
