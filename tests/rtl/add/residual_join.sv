// Test design: a residual block. A fork feeds a branch that gives nothing before it has Block beats, as a convolution
// waits for its rows, and a shortcut of Depth places; an adder joins them.

`default_nettype none

module residual_join #(
  parameter int unsigned Width = 8,
  parameter int unsigned Block = 16,
  parameter int unsigned Depth = 16
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic [Width-1:0] data_i,
  input  wire logic             valid_i,
  output logic                  ready_o,
  output logic      [Width:0]   data_o,
  output logic                  valid_o,
  input  wire logic             ready_i
);

  logic [1:0][Width-1:0]  fork_data;
  logic [1:0]             fork_valid, fork_ready;
  logic [Block*Width-1:0] block_data;
  logic                   block_valid, block_ready;
  logic [Width-1:0]       branch_data, shortcut_data;
  logic                   branch_valid, branch_ready, shortcut_valid, shortcut_ready;

  xnorflow_fork #(
    .Width  (Width),
    .Outputs(2)
  ) u_fork (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data_i),
    .valid_i(valid_i),
    .ready_o(ready_o),
    .data_o (fork_data),
    .valid_o(fork_valid),
    .ready_i(fork_ready)
  );

  xnorflow_dwc #(
    .InWidth (Width),
    .OutWidth(Block * Width)
  ) u_collect (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (fork_data[0]),
    .valid_i(fork_valid[0]),
    .ready_o(fork_ready[0]),
    .data_o (block_data),
    .valid_o(block_valid),
    .ready_i(block_ready)
  );

  xnorflow_dwc #(
    .InWidth (Block * Width),
    .OutWidth(Width)
  ) u_release (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (block_data),
    .valid_i(block_valid),
    .ready_o(block_ready),
    .data_o (branch_data),
    .valid_o(branch_valid),
    .ready_i(branch_ready)
  );

  xnorflow_fifo #(
    .Width(Width),
    .Depth(Depth)
  ) u_shortcut (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (fork_data[1]),
    .valid_i(fork_valid[1]),
    .ready_o(fork_ready[1]),
    .data_o (shortcut_data),
    .valid_o(shortcut_valid),
    .ready_i(shortcut_ready)
  );

  xnorflow_add #(
    .Pe      (1),
    .WidthA  (Width),
    .WidthB  (Width),
    .OutWidth(Width + 1)
  ) u_add (
    .clk_i    (clk_i),
    .rst_ni   (rst_ni),
    .data_a_i (branch_data),
    .valid_a_i(branch_valid),
    .ready_a_o(branch_ready),
    .data_b_i (shortcut_data),
    .valid_b_i(shortcut_valid),
    .ready_b_o(shortcut_ready),
    .data_o   (data_o),
    .valid_o  (valid_o),
    .ready_i  (ready_i)
  );

endmodule

`default_nettype wire
