// Test design: max-pool of a map by two pools in series, first over the columns of a window, then over its rows.

`default_nettype none

module two_pools #(
  parameter int unsigned Columns = 4,
  parameter int unsigned Folds = 1,
  parameter int unsigned KernelRows = 2,
  parameter int unsigned KernelColumns = 2,
  parameter int unsigned Pe = 1,
  parameter int unsigned Width = 1
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,
  input  wire logic [Pe*Width-1:0] data_i,
  input  wire logic                valid_i,
  output logic                     ready_o,
  output logic      [Pe*Width-1:0] data_o,
  output logic                     valid_o,
  input  wire logic                ready_i
);

  logic [Pe*Width-1:0] data;
  logic                valid, ready;

  xnorflow_pool #(
    .Positions(KernelColumns),
    .Folds    (Folds),
    .Pe       (Pe),
    .InWidth  (Width),
    .OutWidth (Width)
  ) u_columns (
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
    .Positions(KernelRows),
    .Folds    (Columns / KernelColumns * Folds),
    .Pe       (Pe),
    .InWidth  (Width),
    .OutWidth (Width)
  ) u_rows (
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
