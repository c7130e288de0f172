// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Sender of a serial line, 8N1: bytes of a stream that follows the stream rules to the line.
//
// Why this structure: one shift register holds the start bit, the byte and the stop bit, so that
// the line is a register and free of glitches.
//
// Latency: the start bit begins 1 cycle after the byte was taken.
// Interval: a byte every 10 bits of the line and 1 cycle.
// Cost: 22 FF and 31 LUT at 434 cycles a bit (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_uart_tx #(
  // Cycles of the clock that a bit of the line lasts, >= 2.
  parameter int unsigned CyclesPerBit = 434
) (
  input  wire logic       clk_i,
  input  wire logic       rst_ni,
  // Stream in
  input  wire logic [7:0] data_i,
  input  wire logic       valid_i,
  output logic            ready_o,
  // Line, high while idle
  output logic            tx_o
);

  if (CyclesPerBit < 2) begin : gen_check_rate
    $error("xnorflow_uart_tx: CyclesPerBit must be at least 2");
  end

  localparam int unsigned TimerWidth = (CyclesPerBit < 2) ? 1 : $clog2(CyclesPerBit);
  localparam logic [TimerWidth-1:0] Whole = TimerWidth'(CyclesPerBit - 1);
  localparam logic [3:0] Bits = 4'd10;  // start bit, 8 of data, stop bit

  logic [8:0]            shift_d, shift_q;  // shift_q[0] is the line
  logic [3:0]            left_d, left_q;    // bits that are not over
  logic [TimerWidth-1:0] timer_d, timer_q;  // cycles until the bit is over
  logic                  push;

  assign ready_o = left_q == '0;
  assign push    = valid_i & ready_o;
  assign tx_o    = shift_q[0];

  always_comb begin
    shift_d = shift_q;
    left_d  = left_q;
    timer_d = timer_q - 1'b1;
    if (push) begin
      shift_d = {data_i, 1'b0};
      left_d  = Bits;
      timer_d = Whole;
    end else if (timer_q == '0) begin
      shift_d = {1'b1, shift_q[8:1]};
      timer_d = Whole;
      if (left_q != '0) left_d = left_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    timer_q <= timer_d;
    if (!rst_ni) begin
      shift_q <= '1;
      left_q  <= '0;
    end else begin
      shift_q <= shift_d;
      left_q  <= left_d;
    end
  end

endmodule

`default_nettype wire
