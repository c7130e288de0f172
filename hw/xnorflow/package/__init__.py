"""The accelerator as an IP core for anybody's project: AXI4-Stream, Verilog top, component.xml, C header, testbench."""
