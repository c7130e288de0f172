// Test design: a serial shell whose accelerator gives back what it takes, Gap cycles apart (never, for Gap = 0). Streams carry
// the line's level cycle by cycle: a beat in is one cycle of rx, a beat out is {reset of the accelerator, error, tx}.

`default_nettype none

module serial_loop #(
  parameter int unsigned CyclesPerBit = 8,
  parameter int unsigned InBytes = 1,
  parameter int unsigned OutBytes = 1,
  parameter int unsigned Depth = 2,
  parameter int unsigned Gap = 1
) (
  input  wire logic       clk_i,
  input  wire logic       rst_ni,
  input  wire logic       data_i,
  input  wire logic       valid_i,
  output logic            ready_o,
  output logic      [2:0] data_o,
  output logic            valid_o,
  input  wire logic       ready_i
);

  logic [8*InBytes-1:0]  in_data;
  logic                  in_valid, in_ready, taking;
  logic [8*OutBytes-1:0] out_data;
  logic                  out_valid, out_ready;
  logic                  inner_rst_n, error, tx;
  logic [15:0]           wait_q;
  logic                  unused_ready;

  assign unused_ready = ready_i;
  assign ready_o = 1'b1;
  assign valid_o = 1'b1;
  assign data_o  = {~inner_rst_n, error, tx};
  assign taking  = (Gap != 0) & (wait_q == '0);

  always_ff @(posedge clk_i) begin
    if (!inner_rst_n)                          wait_q <= '0;
    else if (in_valid && in_ready && Gap != 0) wait_q <= 16'(Gap - 1);
    else if (wait_q != '0)                     wait_q <= wait_q - 1'b1;
  end

  xnorflow_uart_shell #(
    .CyclesPerBit(CyclesPerBit),
    .InBytes     (InBytes),
    .OutBytes    (OutBytes),
    .Depth       (Depth)
  ) u_shell (
    .clk_i             (clk_i),
    .rst_ni            (rst_ni),
    .rx_i              (data_i | ~valid_i),
    .tx_o              (tx),
    .error_o           (error),
    .accelerator_rst_no(inner_rst_n),
    .data_o            (in_data),
    .valid_o           (in_valid),
    .ready_i           (in_ready & taking),
    .data_i            (out_data),
    .valid_i           (out_valid),
    .ready_o           (out_ready)
  );

  xnorflow_dwc #(
    .InWidth (8 * InBytes),
    .OutWidth(8 * OutBytes)
  ) u_loop (
    .clk_i  (clk_i),
    .rst_ni (inner_rst_n),
    .data_i (in_data),
    .valid_i(in_valid & taking),
    .ready_o(in_ready),
    .data_o (out_data),
    .valid_o(out_valid),
    .ready_i(out_ready)
  );

endmodule

`default_nettype wire
