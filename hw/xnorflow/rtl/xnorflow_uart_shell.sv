// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Puts an accelerator on a serial line, 8N1: bytes of the line are the bytes of its beats.
//
// Why this structure: nothing marks the end of a frame, on the line as little as on a stream, so
// the shell needs to know nothing of the network: it joins bytes to beats and splits beats into
// bytes, the lowest byte first. A buffer in front of the accelerator takes what arrives while that
// is not ready, since the line cannot wait.
//
// A wrong result is worse than none: after a byte that was lost or had no stop bit, no further
// byte is passed on, and error_o is high until a break on the line. A break resets the shell and,
// through accelerator_rst_no, the accelerator: whatever was sent before is forgotten.
//
// Latency: in front of the accelerator 9.5 bits of the line and 6 cycles from the start bit of a
// beat's last byte (5 of one-byte beats); behind it 2 cycles to the start bit of a beat's first
// byte (1 of one-byte beats).
// Interval: a byte every 10 bits of the line; back, 1 cycle more.
// Cost: 7-byte beats in, 2-byte beats out, 16 of depth, 434 cycles a bit: 224 FF, 147 LUT + 10
// RAM32M (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_uart_shell #(
  // Cycles of the clock that a bit of the line lasts, >= 8.
  parameter int unsigned CyclesPerBit = 434,
  // Bytes of a beat to the accelerator, and of one from it, >= 1.
  parameter int unsigned InBytes = 1,
  parameter int unsigned OutBytes = 1,
  // Beats to the accelerator that are held at most, >= 2.
  parameter int unsigned Depth = 16
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,
  // Lines, high while idle
  input  wire logic                  rx_i,
  output logic                       tx_o,
  // A byte was lost; until a break or a reset
  output logic                       error_o,
  // To the accelerator
  output logic                       accelerator_rst_no,
  output logic      [8*InBytes-1:0]  data_o,
  output logic                       valid_o,
  input  wire logic                  ready_i,
  // From the accelerator
  input  wire logic [8*OutBytes-1:0] data_i,
  input  wire logic                  valid_i,
  output logic                       ready_o
);

  if (InBytes < 1 || OutBytes < 1) begin : gen_check_bytes
    $error("xnorflow_uart_shell: InBytes and OutBytes must be at least 1");
  end
  if (Depth < 2) begin : gen_check_depth
    $error("xnorflow_uart_shell: Depth must be at least 2");
  end

  logic [7:0]           rx_data, tx_data;
  logic                 rx_valid, rx_ready, tx_valid, tx_ready;
  logic [8*InBytes-1:0] beat_data;
  logic                 beat_valid, beat_ready;
  logic                 rx_error, rx_break;
  logic                 error_q;
  logic                 inner_rst_q;  // active low: all but the receiver
  logic                 join_ready;

  assign error_o            = error_q;
  assign accelerator_rst_no = inner_rst_q;
  assign rx_ready           = join_ready | error_q;  // what is not passed on is dropped

  always_ff @(posedge clk_i) begin
    inner_rst_q <= rst_ni & ~rx_break;
    if (!rst_ni)       error_q <= 1'b0;
    else if (rx_break) error_q <= 1'b0;
    else if (rx_error) error_q <= 1'b1;
  end

  xnorflow_uart_rx #(
    .CyclesPerBit(CyclesPerBit)
  ) u_rx (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .rx_i   (rx_i),
    .data_o (rx_data),
    .valid_o(rx_valid),
    .ready_i(rx_ready),
    .error_o(rx_error),
    .break_o(rx_break)
  );

  xnorflow_dwc #(
    .InWidth (8),
    .OutWidth(8 * InBytes)
  ) u_join (
    .clk_i  (clk_i),
    .rst_ni (inner_rst_q),
    .data_i (rx_data),
    .valid_i(rx_valid & ~error_q),
    .ready_o(join_ready),
    .data_o (beat_data),
    .valid_o(beat_valid),
    .ready_i(beat_ready)
  );

  xnorflow_fifo #(
    .Width(8 * InBytes),
    .Depth(Depth)
  ) u_buffer (
    .clk_i  (clk_i),
    .rst_ni (inner_rst_q),
    .data_i (beat_data),
    .valid_i(beat_valid),
    .ready_o(beat_ready),
    .data_o (data_o),
    .valid_o(valid_o),
    .ready_i(ready_i)
  );

  xnorflow_dwc #(
    .InWidth (8 * OutBytes),
    .OutWidth(8)
  ) u_split (
    .clk_i  (clk_i),
    .rst_ni (inner_rst_q),
    .data_i (data_i),
    .valid_i(valid_i),
    .ready_o(ready_o),
    .data_o (tx_data),
    .valid_o(tx_valid),
    .ready_i(tx_ready)
  );

  xnorflow_uart_tx #(
    .CyclesPerBit(CyclesPerBit)
  ) u_tx (
    .clk_i  (clk_i),
    .rst_ni (inner_rst_q),
    .data_i (tx_data),
    .valid_i(tx_valid),
    .ready_o(tx_ready),
    .tx_o   (tx_o)
  );

endmodule

`default_nettype wire
