// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Sends each pixel several times, one copy after the other: the duplicated channels of a shortcut
// that doubles them, or one pixel for every place of a map. Follows the stream rules.
//
// Why this structure: a FIFO of two pixels whose read address goes back to the pixel's first beat
// until the last copy, so there is no multiplexer in the data's way. A place is free again once
// the last copy of its beat has been read. With one pixel of room while another is sent, the next
// pixel may come in at any pace without a bubble.
//
//   Beats = 2, Times = 3:   in   a b c d ...        a b: first pixel, c d: second
//                           out  a b a b a b c d c d c d ...
//
// Latency: 2 cycles from a beat to its first copy.
// Interval: exactly Beats * Times cycles a pixel while beats are offered and copies are taken.
// Cost: 4 beats of 128 bits, twice: 20 LUT + 22 RAM32M, 144 FF; 8 beats of 4 bits, 65,536 times:
// 31 LUT + 1 RAM32M, 39 FF (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_repeat #(
  // Bits of a beat, >= 1.
  parameter int unsigned Width = 8,
  // Beats of a pixel, >= 1.
  parameter int unsigned Beats = 4,
  // Copies of a pixel, >= 2.
  parameter int unsigned Times = 2
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  // Stream in
  input  wire logic [Width-1:0] data_i,
  input  wire logic             valid_i,
  output logic                  ready_o,
  // Stream out
  output logic      [Width-1:0] data_o,
  output logic                  valid_o,
  input  wire logic             ready_i
);

  if (Width < 1) begin : gen_check_width
    $error("xnorflow_repeat: Width must be at least 1");
  end
  if (Beats < 1) begin : gen_check_beats
    $error("xnorflow_repeat: Beats must be at least 1");
  end
  if (Times < 2) begin : gen_check_times
    $error("xnorflow_repeat: Times must be at least 2");
  end

  // At least 2 and 1, so that the checks above are what wrong parameters are told by.
  localparam int unsigned Words      = (Beats > 0) ? 2 * Beats : 2;
  localparam int unsigned PtrWidth   = $clog2(Words);
  localparam int unsigned CountWidth = $clog2(Words + 1);
  localparam int unsigned TimeWidth  = (Times > 2) ? $clog2(Times) : 1;
  localparam logic [PtrWidth-1:0]   LastWord  = PtrWidth'(Words - 1);
  localparam logic [PtrWidth-1:0]   LastFirst = PtrWidth'(Beats - 1);  // of the lower pixel
  localparam logic [CountWidth-1:0] Full      = CountWidth'(Words);
  localparam logic [TimeWidth-1:0]  LastTime  = TimeWidth'(Times - 1);

  // Never read and written at the same address in one cycle.
  (* no_rw_check *) logic [Width-1:0] mem [Words];
  logic [Width-1:0]      data_q;
  logic                  valid_d, valid_q;
  logic [PtrWidth-1:0]   write_d, write_q, read_d, read_q;
  logic [TimeWidth-1:0]  time_d, time_q;    // copy that is being read
  logic [CountWidth-1:0] held_d, held_q;    // places in use
  logic [CountWidth-1:0] fresh_d, fresh_q;  // beats of which no copy has been read
  logic                  push;  // a beat comes in
  logic                  free;  // the output register is empty or being emptied
  logic                  load;  // memory to output register
  logic                  first, last, pixel_end;

  assign ready_o   = held_q != Full;
  assign valid_o   = valid_q;
  assign data_o    = data_q;
  assign push      = valid_i & ready_o;
  assign free      = ready_i | ~valid_q;
  assign first     = time_q == '0;
  assign last      = time_q == LastTime;
  assign load      = (~first | (fresh_q != '0)) & free;
  assign valid_d   = load | ~free;
  assign pixel_end = (read_q == LastFirst) | (read_q == LastWord);

  always_comb begin
    write_d = write_q;
    read_d  = read_q;
    time_d  = time_q;
    held_d  = held_q;
    fresh_d = fresh_q;
    if (push) write_d = (write_q == LastWord) ? '0 : write_q + 1'b1;
    if (load) begin
      read_d = (read_q == LastWord) ? '0 : read_q + 1'b1;
      if (pixel_end) begin
        time_d = last ? '0 : time_q + 1'b1;
        if (!last) read_d = (read_q == LastWord) ? PtrWidth'(Beats) : '0;
      end
    end
    if (push && !(load && last)) held_d = held_q + 1'b1;
    if (!push && load && last) held_d = held_q - 1'b1;
    if (push && !(load && first)) fresh_d = fresh_q + 1'b1;
    if (!push && load && first) fresh_d = fresh_q - 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (push) mem[write_q] <= data_i;
    if (load) data_q <= mem[read_q];
    if (!rst_ni) begin
      valid_q <= 1'b0;
      write_q <= '0;
      read_q  <= '0;
      time_q  <= '0;
      held_q  <= '0;
      fresh_q <= '0;
    end else begin
      valid_q <= valid_d;
      write_q <= write_d;
      read_q  <= read_d;
      time_q  <= time_d;
      held_q  <= held_d;
      fresh_q <= fresh_d;
    end
  end

endmodule

`default_nettype wire
