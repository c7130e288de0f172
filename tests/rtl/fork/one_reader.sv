// Test design: a fork of which only output Reader is ever read.

`default_nettype none

module one_reader #(
  parameter int unsigned Width = 8,
  parameter int unsigned Outputs = 2,
  parameter int unsigned Reader = 0
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic [Width-1:0] data_i,
  input  wire logic             valid_i,
  output logic                  ready_o,
  output logic      [Width-1:0] data_o,
  output logic                  valid_o,
  input  wire logic             ready_i
);

  logic [Outputs-1:0][Width-1:0] data;
  logic [Outputs-1:0]            valid;

  xnorflow_fork #(
    .Width  (Width),
    .Outputs(Outputs)
  ) u_fork (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data_i),
    .valid_i(valid_i),
    .ready_o(ready_o),
    .data_o (data),
    .valid_o(valid),
    .ready_i(Outputs'(ready_i) << Reader)
  );

  assign data_o  = data[Reader];
  assign valid_o = valid[Reader];

endmodule

`default_nettype wire
