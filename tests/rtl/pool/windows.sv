// Test design: windows of Kernel x Kernel pixels, padded by one pixel with PadValue, and their maximum or sum.

`default_nettype none

module windows #(
  parameter int unsigned Size = 6,
  parameter int unsigned Kernel = 3,
  parameter int unsigned Stride = 2,
  parameter int unsigned Channels = 4,
  parameter int unsigned Pe = 2,
  parameter int unsigned InWidth = 8,
  parameter int unsigned OutWidth = 8,
  parameter int unsigned PadValue = 0,
  parameter string Mode = "max"
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,
  input  wire logic [Pe*InWidth-1:0]  data_i,
  input  wire logic                   valid_i,
  output logic                        ready_o,
  output logic      [Pe*OutWidth-1:0] data_o,
  output logic                        valid_o,
  input  wire logic                   ready_i
);

  logic [Pe*InWidth-1:0] data;
  logic                  valid, ready;

  xnorflow_swg #(
    .Rows         (Size),
    .Columns      (Size),
    .Channels     (Channels),
    .Simd         (Pe),
    .Bits         (InWidth),
    .KernelRows   (Kernel),
    .KernelColumns(Kernel),
    .StrideRows   (Stride),
    .StrideColumns(Stride),
    .PadTop       (1),
    .PadBottom    (1),
    .PadLeft      (1),
    .PadRight     (1),
    .PadValue     (InWidth'(PadValue))
  ) u_windows (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data_i),
    .valid_i(valid_i),
    .ready_o(ready_o),
    .data_o (data),
    .valid_o(valid),
    .ready_i(ready)
  );

  xnorflow_pool #(
    .Positions(Kernel * Kernel),
    .Folds    (Channels / Pe),
    .Pe       (Pe),
    .InWidth  (InWidth),
    .OutWidth (OutWidth),
    .Mode     (Mode)
  ) u_pool (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data),
    .valid_i(valid),
    .ready_o(ready),
    .data_o (data_o),
    .valid_o(valid_o),
    .ready_i(ready_i)
  );

endmodule

`default_nettype wire
