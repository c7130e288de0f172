"""Virtual bit files."""

import struct

import numpy as np
import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.virtual_board.bit import VirtualBit, is_virtual

BIT = VirtualBit("net", "ZCU104", "xczu7ev-ffvc1156-2-e", True, "12" * 32, "34" * 32)


def fields(data):
    """What a vendor tool's header says, by the letters of its fields, and the payload."""
    (skip,) = struct.unpack(">H", data[:2])
    position, found = 2 + skip + 2, {}
    while data[position : position + 1] != b"e":
        (length,) = struct.unpack(">H", data[position + 1 : position + 3])
        found[chr(data[position])] = data[position + 3 : position + 3 + length].rstrip(b"\0").decode()
        position += 3 + length
    (length,) = struct.unpack(">I", data[position + 1 : position + 5])
    return found, data[position + 5 :], length


def test_the_header_is_that_of_a_vendor_tool():
    found, payload, length = fields(BIT.to_bytes())
    assert (found["a"].split(";")[0], found["b"]) == ("net", "zu7ev-ffvc1156-2-e")
    assert sorted(found) == ["a", "b", "c", "d"]
    assert length == len(payload) and length % 4 == 0


def test_it_says_what_it_is_and_no_fpga_starts_by_it(tmp_path):
    data = BIT.to_bytes()
    assert b"VIRTUAL" in fields(data)[1][:20]
    assert bytes.fromhex("aa995566") not in data and bytes.fromhex("665599aa") not in data
    (tmp_path / "net.bit").write_bytes(data)
    (tmp_path / "real.bit").write_bytes(bytes.fromhex("ffffffffaa995566"))
    assert is_virtual(tmp_path / "net.bit") and not is_virtual(tmp_path / "real.bit")


def test_it_is_read_in_the_forms_that_pynq_makes_of_it():
    data = BIT.to_bytes()
    payload = fields(data)[1]
    swapped = np.frombuffer(payload, np.int32).byteswap().tobytes()
    assert [VirtualBit.parse(form) for form in (data, payload, swapped)] == [BIT] * 3


@pytest.mark.parametrize("binary", [b"", b"\x00", bytes.fromhex("ffffffffaa995566") * 100, b"xnorflow VIRTUAL"])
def test_real_bitstreams_are_refused(binary):
    with pytest.raises(ConfigError, match=r"not a virtual one: a virtual board holds no FPGA"):
        VirtualBit.parse(binary)


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload.replace(b"}", b""),
        lambda payload: payload.replace(b'"net"', b"17"),
        lambda payload: payload.replace(b"true", b"1"),
        lambda payload: payload.replace(b'"hwh"', b'"hwx"'),
        lambda payload: payload.replace(b"{", b"[" * 100_000 + b"{"),
        lambda payload: payload[:120],
    ],
)
def test_damaged_ones_are_refused(change):
    payload = fields(BIT.to_bytes())[1]
    assert change(payload) != payload
    with pytest.raises(ConfigError, match=r"virtual bitstream: damaged; allowed: the .bit as"):
        VirtualBit.parse(change(payload))
