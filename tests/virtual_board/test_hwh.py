"""The hardware hand-off of virtual overlays, of each board."""

from xml.etree import ElementTree

import pytest

from xnorflow.boards.catalog import Family, board_names, load_board
from xnorflow.virtual_board.hwh import render_hwh
from xnorflow.virtual_board.layout import layout


@pytest.fixture(params=board_names())
def board(request):
    return load_board(request.param)


def ranges(root):
    return {
        entry.get("INSTANCE"): (int(entry.get("BASEVALUE"), 16), int(entry.get("HIGHVALUE"), 16))
        for entry in root.iter("MEMRANGE")
    }


def test_addresses(board):
    """Engines are where real overlays have them; what only virtual ones have says so by its name."""
    text = render_hwh(board, "net", axi_dma=True)
    found = ranges(ElementTree.fromstring(text))
    base = 0xA000_0000 if board.family is Family.XCUP else 0x4000_0000
    assert found["idma0"] == (base, base + 0xFFFF) and found["odma0"] == (base + 0x1_0000, base + 0x1_FFFF)
    assert found["virtual_board_cycles"][0] == base + 0x3_0000
    assert list(found.values()) == [(cell.base, cell.base + 0xFFFF) for cell in layout(board.family, axi_dma=True)]
    assert "VIRTUAL overlay, for a simulated board" in text
    assert "axi_dma_0" not in ranges(ElementTree.fromstring(render_hwh(board, "net")))


def test_clock_0_is_on_at_100_mhz(board):
    root = ElementTree.fromstring(render_hwh(board, "net"))
    module = next(one for one in root.iter("MODULE") if one.get("INSTANCE") == "zynq_ps")
    parameters = {one.get("NAME"): one.get("VALUE") for one in module.iter("PARAMETER")}
    prefix = "PSU__FPGA_PL{}_ENABLE" if board.family is Family.XCUP else "PCW_FPGA_FCLK{}_ENABLE"
    assert [parameters[prefix.format(number)] for number in range(4)] == ["1", "0", "0", "0"]
    assert parameters["PSU__CRL_APB__PL0_REF_CTRL__ACT_FREQMHZ"] == "100.000000"  # on a Zynq-7000 for pynq 4.0.0
