// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Memory of xnorflow_swg: takes the beats of an endless line, and walks along it window by window;
// follows the stream rules.
//
// Why this structure: two counts guard the memory, how many beats are written from the next one to
// read on, and how many words no window needs any more. Both are kept less one, so that a sign bit
// alone lets a beat out or in, and both take one addition a cycle, whose carry is the beat that
// comes in. All steps are constants, so the adders need no operand registers. Padding is the
// synchronous reset of the memory's read register, which is the output register: neither costs a
// LUT.
//
//   line:  ... | rows of frame 0 | rows of frame 1 | ...
//   window:  Span beats from its first one to its last one, with a gap after each of its rows; its
//            first beat moves on by ToNext, ToRow or ToFrame, and what it has passed is free
//
// A window's first beat may be Lead beats ahead of its frame's, in the frame before: these are
// places of padding, which are not read.
//
// Latency: 2 cycles from a beat that is waited for to the same beat out.
// Interval: one beat a cycle on either side, while there is room or a beat to read.
// Cost: with the default parameters, 32 words of 8 bits: 31 LUT + 2 RAM32M, 35 FF (yosys, xc7,
// mapped cells).

`default_nettype none

module xnorflow_swg_ring #(
  // Bits of a beat, >= 1.
  parameter int Width = 8,
  // Beats held at least, >= Span.
  parameter int Depth = 32,
  // Beats of the line from a window's first to its last one, >= 1, and between its rows.
  parameter int Span = 20,
  parameter int Gap = 5,
  // From a frame's first window to the frame's first beat, 0 to Span - 1.
  parameter int Lead = 0,
  // From a window to the next in its row, from a row's last one, and from a frame's last one.
  parameter int ToNext = 1,
  parameter int ToRow = 3,
  parameter int ToFrame = 19,
  // Beat of padding.
  parameter logic [Width-1:0] PadValue = '0,
  // "auto" (up to the tool), "block" (block RAM) or "distributed" (LUTRAM).
  parameter string MemoryStyle = "auto"
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  // Stream in
  input  wire logic [Width-1:0] data_i,
  input  wire logic             valid_i,
  output logic                  ready_o,
  // What the next beat out is: the last one of a window's row [0], of a window [1], of a row of
  // windows [2], of a frame [3], each of which implies those before; the first one of a frame
  input  wire logic [3:0]       last_i,
  input  wire logic             first_i,
  // It is padding, which waits for nothing but its frame's first beat
  input  wire logic             pad_i,
  // It is being read: the next cycle is about the beat after it
  output logic                  issue_o,
  // Stream out
  output logic      [Width-1:0] data_o,
  output logic                  valid_o,
  input  wire logic             ready_i
);

  if (Width < 1 || Span < 1) begin : gen_check_positive
    $error("xnorflow_swg_ring: Width and Span must be at least 1");
  end
  if (Depth < Span) begin : gen_check_depth
    $error("xnorflow_swg_ring: Depth must be at least Span");
  end
  if (Lead < 0 || Lead >= larger(Span, 1)) begin : gen_check_lead
    $error("xnorflow_swg_ring: Lead must be 0 to Span - 1");
  end
  if (MemoryStyle != "auto" && MemoryStyle != "block" && MemoryStyle != "distributed")
  begin : gen_check_style
    $error("xnorflow_swg_ring: MemoryStyle must be auto, block or distributed");
  end

  function automatic int larger(int a, int b);
    return (a > b) ? a : b;
  endfunction

  // 2**n words, so that addresses wrap by themselves.
  localparam int AddressWidth = (Depth > 1) ? $clog2(Depth) : 1;
  localparam int Words        = 2 ** AddressWidth;
  // More than either count ever is, on both sides of zero.
  localparam int CountMost    = Words + Lead + Span + larger(ToNext, larger(ToRow, ToFrame));
  localparam int CountWidth   = $clog2(CountMost + 1) + 1;

  //// Counts, less one ////
  logic signed [CountWidth-1:0] ahead_d, ahead_q;  // beats written, from the next one read on
  logic signed [CountWidth-1:0] room_d, room_q;    // words that no window needs any more
  logic signed [CountWidth-1:0] back, give;        // what reading adds to them
  logic                         push, free, issue, valid_q, unused_ahead, unused_room;

  always_comb begin
    back = CountWidth'(-1);
    give = '0;
    if (last_i[0]) back = CountWidth'(-Gap - 1);
    if (last_i[1]) begin
      back = CountWidth'(Span - 1 - ToNext);
      give = CountWidth'(ToNext);
    end
    if (last_i[2]) begin
      back = CountWidth'(Span - 1 - ToRow);
      give = CountWidth'(ToRow);
    end
    if (last_i[3]) begin
      back = CountWidth'(Span - 1 - ToFrame);
      give = CountWidth'(ToFrame);
    end
  end

  // ahead_q + back + push and room_q + give - push, one adder each: the carry is the beat written.
  assign {ahead_d, unused_ahead} = {ahead_q, 1'b1} + {issue ? back : '0, push};
  assign {room_d, unused_room}   = {room_q, 1'b1} + {issue ? give - 1'b1 : '1, ~push};

  assign ready_o = ~room_q[CountWidth-1];
  assign push    = valid_i & ready_o;
  assign free    = ready_i | ~valid_q;  // the output register is empty or being emptied
  assign issue_o = issue;
  assign valid_o = valid_q;

  always_comb begin
    issue = free & ~ahead_q[CountWidth-1];
    if (pad_i) issue = free & (~first_i | ahead_q >= CountWidth'(Lead));
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ahead_q <= CountWidth'(Lead - 1);
      room_q  <= CountWidth'(Words - Lead - 1);
      valid_q <= 1'b0;
    end else begin
      ahead_q <= ahead_d;
      room_q  <= room_d;
      valid_q <= issue | ~free;
    end
  end

  //// Memory ////
  // What is read while being written is padding.
  (* no_rw_check, ram_style = MemoryStyle *) logic [Width-1:0] ring [Words];
  logic [Width-1:0]        data_q;
  logic [AddressWidth-1:0] write_q, read_q;

  assign data_o = data_q;

  always_ff @(posedge clk_i) begin
    if (push) ring[write_q] <= data_i;
    if (issue) data_q <= pad_i ? PadValue : ring[read_q];
    if (!rst_ni) begin
      write_q <= '0;
      read_q  <= AddressWidth'(-Lead);
    end else begin
      if (push) write_q <= write_q + 1'b1;
      if (issue) read_q <= read_q - AddressWidth'(back);
    end
  end

endmodule

`default_nettype wire
