// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Receiver of a serial line, 8N1: bytes from the line to a stream that follows the stream rules.
//
// Why this structure: a line cannot be told to wait, so a byte that comes while the one before
// still waits is lost, and error_o says so instead of a wrong byte. The line is sampled in the
// middle of each bit, counted from the falling edge of the start bit, which leaves almost half a
// bit in ten for the difference of the two clocks.
//
// A line that is low for a whole byte and its stop bit is a break, which is no byte: it is the one
// thing that a sender out of step can say.
//
// Latency: 9.5 bits of the line and 3 cycles from the start bit to the byte.
// Interval: a byte every 10 bits of the line.
// Cost: 37 FF and 33 LUT at 434 cycles a bit (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_uart_rx #(
  // Cycles of the clock that a bit of the line lasts, >= 8.
  parameter int unsigned CyclesPerBit = 434
) (
  input  wire logic  clk_i,
  input  wire logic  rst_ni,
  // Line, high while idle; any phase
  input  wire logic  rx_i,
  // Stream out
  output logic [7:0] data_o,
  output logic       valid_o,
  input  wire logic  ready_i,
  // For a cycle: a byte is lost, or had no stop bit
  output logic       error_o,
  // While the line is low after a break was seen
  output logic       break_o
);

  if (CyclesPerBit < 8) begin : gen_check_rate
    $error("xnorflow_uart_rx: CyclesPerBit must be at least 8");
  end

  localparam int unsigned TimerWidth = $clog2(CyclesPerBit);
  localparam logic [TimerWidth-1:0] Whole = TimerWidth'(CyclesPerBit - 1);
  localparam logic [TimerWidth-1:0] Half  = TimerWidth'(CyclesPerBit / 2 - 1);
  localparam logic [3:0] StopBit = 4'd9;

  typedef enum logic [1:0] {Idle, Receive, WaitHigh, Break} state_e;

  logic [1:0]            line_q;  // the line, brought into this clock
  logic                  line;
  state_e                state_d, state_q;
  logic [TimerWidth-1:0] timer_d, timer_q;  // cycles until the next sample
  logic [3:0]            place_d, place_q;  // bit to be sampled: start bit, 8 of data, stop bit
  logic [7:0]            shift_d, shift_q;
  logic [7:0]            data_q;
  logic                  valid_d, valid_q;
  logic                  error_d, error_q;
  logic                  sample, arrived;

  assign line    = line_q[1];
  assign sample  = (state_q == Receive) & (timer_q == '0);
  assign arrived = sample & (place_q == StopBit) & line;
  assign data_o  = data_q;
  assign valid_o = valid_q;
  assign error_o = error_q;
  assign break_o = state_q == Break;

  always_comb begin
    state_d = state_q;
    timer_d = (timer_q == '0) ? Whole : timer_q - 1'b1;
    place_d = place_q;
    shift_d = shift_q;
    error_d = arrived & valid_q & ~ready_i;
    unique case (state_q)
      Idle: begin
        timer_d = Half;
        place_d = '0;
        if (!line) state_d = Receive;
      end
      Receive: begin
        if (sample) begin
          place_d = place_q + 1'b1;
          if (place_q == '0) begin
            if (line) state_d = Idle;  // too short for a start bit
          end else if (place_q != StopBit) begin
            shift_d = {line, shift_q[7:1]};
          end else if (line) begin
            state_d = Idle;
          end else if (shift_q == '0) begin
            state_d = Break;
          end else begin
            state_d = WaitHigh;
            error_d = 1'b1;
          end
        end
      end
      default: if (line) state_d = Idle;
    endcase
  end

  assign valid_d = arrived | (valid_q & ~ready_i);

  always_ff @(posedge clk_i) begin
    line_q  <= {line_q[0], rx_i};
    timer_q <= timer_d;
    place_q <= place_d;
    shift_q <= shift_d;
    if (arrived && !(valid_q && !ready_i)) data_q <= shift_q;
    if (!rst_ni) begin
      line_q  <= '1;
      state_q <= Idle;
      valid_q <= 1'b0;
      error_q <= 1'b0;
    end else begin
      state_q <= state_d;
      valid_q <= valid_d;
      error_q <= error_d;
    end
  end

endmodule

`default_nettype wire
