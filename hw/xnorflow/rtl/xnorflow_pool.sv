// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Reduces the positions of a window to one, channel by channel: to their maximum or to their sum.
// Follows the stream rules.
//
// Why this structure: beats come window by window, and one position of a window after the other,
// so what a channel has come to so far waits in a memory for as long as a position lasts. It is
// read while a beat comes in and written one cycle later, hence never read too early nor at the
// place that is written. A window starts from what changes nothing, 0 or the least number; this is
// the synchronous reset of the memory's read register, and costs no LUT. Only the results, i.e.
// the beats of a window's last position, wait for room in the output buffer.
//
//   input beat:   (window, position, f), f fastest; element e of fold f is channel f*Pe + e
//   output beat:  (window, f), f fastest
//
//   use                                        Positions           Folds
//   windows from xnorflow_swg                  those of a window   beats of a pixel
//   a whole map                                pixels of the map   beats of a pixel
//   windows side by side that fill the map,    columns of one      beats of a pixel
//   by two pools in series                     rows of one         beats of a row of the first
//
// Latency: 2 cycles from a beat of a window's last position.
// Interval: exactly Positions * Folds cycles a window while beats are offered and taken.
// Cost: 9 positions, 8 folds, Pe 16: largest of 8 bits: 365 LUT + 22 RAM32M, 526 FF; their sum, of
// 12 bits: 397 LUT + 32 RAM32M, 718 FF; 2 positions, 16 folds of 64 bits: 137 LUT + 11 RAM32M,
// 269 FF; 1,024 folds of 4 elements of 8 bits: 98 LUT, 121 FF, 1 RAMB36 (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_pool #(
  // Positions that become one, >= 1.
  parameter int unsigned Positions = 4,
  // Beats from a position to the next one, >= 1.
  parameter int unsigned Folds = 4,
  // Elements of a beat, >= 1.
  parameter int unsigned Pe = 1,
  // Bits of an element coming in, 1 to 32.
  parameter int unsigned InWidth = 1,
  // Bits of a result; "max": InWidth; "sum": enough for every sum, see SumWidth.
  parameter int unsigned OutWidth = 1,
  // "max" or "sum".
  parameter string Mode = "max",
  // Whether elements are two's complement, or with one bit, 0 for -1 and 1 for +1; then sums are
  // two's complement too. Else elements and sums are unsigned.
  parameter bit Signed = 1'b1,
  // Memory of more than one fold: "auto" (up to the tool), "block" (block RAM) or "distributed"
  // (LUTRAM).
  parameter string MemoryStyle = "auto",
  // Results that wait to be taken, at most, >= 2; memory as that of xnorflow_fifo.
  parameter int unsigned OutputDepth = 2,
  parameter string OutputStyle = "auto"
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,
  // Stream in: element e at bits e*InWidth and up
  input  wire logic [Pe*InWidth-1:0]  data_i,
  input  wire logic                   valid_i,
  output logic                        ready_o,
  // Stream out: element e at bits e*OutWidth and up
  output logic      [Pe*OutWidth-1:0] data_o,
  output logic                        valid_o,
  input  wire logic                   ready_i
);

  localparam bit Positive = Positions > 0 && Folds > 0 && Pe > 0;
  localparam bit InFits   = InWidth > 0 && InWidth <= 32;
  localparam bit Sum      = Mode == "sum";
  // Bits that the sums of signed elements, of 1-bit ones, and of unsigned ones take.
  localparam int unsigned SumWidth = (Signed && InWidth > 1) ? InWidth + $clog2(Positions)
      : Signed ? $clog2(Positions + 1) + 1
      : $clog2(64'(Positions) * ((64'd1 << InWidth) - 64'd1) + 64'd1);
  if (!Positive) begin : gen_check_positive
    $error("xnorflow_pool: Positions, Folds and Pe must be at least 1");
  end
  if (!InFits) begin : gen_check_in_width
    $error("xnorflow_pool: InWidth must be 1 to 32");
  end else if (Mode == "max" && OutWidth != InWidth) begin : gen_check_max_width
    $error("xnorflow_pool: OutWidth must be InWidth in mode max");
  end else if (Sum && Positive && OutWidth < SumWidth) begin : gen_check_sum_width
    $error("xnorflow_pool: OutWidth must hold every sum");
  end
  if (Mode != "max" && !Sum) begin : gen_check_mode
    $error("xnorflow_pool: Mode must be max or sum");
  end
  if (MemoryStyle != "auto" && MemoryStyle != "block" && MemoryStyle != "distributed")
  begin : gen_check_style
    $error("xnorflow_pool: MemoryStyle must be auto, block or distributed");
  end
  if (OutputDepth < 2) begin : gen_check_output_depth
    $error("xnorflow_pool: OutputDepth must be at least 2");
  end

  localparam int unsigned FoldWidth     = (Folds > 1) ? $clog2(Folds) : 1;
  localparam int unsigned PositionWidth = (Positions > 1) ? $clog2(Positions) : 1;
  localparam logic [FoldWidth-1:0]     LastFold     = FoldWidth'(Folds - 1);
  localparam logic [PositionWidth-1:0] LastPosition = PositionWidth'(Positions - 1);
  // Bits of a result, at least 1, so that the checks above are what a wrong width is told by.
  localparam int unsigned     Bits  = (OutWidth > 0) ? OutWidth : 1;
  // What a window starts from.
  localparam logic [Bits-1:0] Start = (Sum || !Signed || InWidth == 1) ? '0 : Bits'(1) << (Bits-1);

  //// Place of the beat that comes in ////
  logic [FoldWidth-1:0]     fold_d, fold_q;
  logic [PositionWidth-1:0] position_d, position_q;
  logic                     push, first, last, fold_end;

  assign push     = valid_i & ready_o;
  assign first    = position_q == '0;
  assign last     = position_q == LastPosition;
  assign fold_end = fold_q == LastFold;

  always_comb begin
    fold_d     = fold_q;
    position_d = position_q;
    if (push) begin
      fold_d = fold_end ? '0 : fold_q + 1'b1;
      if (fold_end) position_d = last ? '0 : position_q + 1'b1;
    end
  end

  //// The beat that is being reduced ////
  logic [Pe*InWidth-1:0] data_q;
  logic [Pe*Bits-1:0]    partial, result;  // of its window, without and with it
  logic                  valid_q, last_q, room;

  assign ready_o = ~valid_q | ~last_q | room;

  always_ff @(posedge clk_i) begin
    if (ready_o) begin
      data_q <= data_i;
      last_q <= last;
    end
    if (!rst_ni) begin
      fold_q     <= '0;
      position_q <= '0;
      valid_q    <= 1'b0;
    end else begin
      fold_q     <= fold_d;
      position_q <= position_d;
      valid_q    <= valid_i | ~ready_o;
    end
  end

  for (genvar e = 0; e < Pe; e++) begin : gen_lane
    logic [InWidth-1:0] x;
    logic [Bits-1:0]    y;

    assign x = data_q[e*InWidth +: InWidth];
    assign y = partial[e*Bits +: Bits];

    if (Sum) begin : gen_sum
      logic [Bits-1:0] term;
      if (!Signed) begin : gen_unsigned
        assign term = Bits'(x);
      end else if (InWidth > 1) begin : gen_signed
        assign term = Bits'(signed'(x));
      end else begin : gen_bipolar
        assign term = x ? Bits'(1) : '1;
      end
      assign result[e*Bits +: Bits] = y + term;
    end else if (InWidth == 1) begin : gen_or
      assign result[e*Bits +: Bits] = y | Bits'(x);
    end else begin : gen_max
      // Signed numbers compare as unsigned ones with the top bit inverted.
      logic larger;
      assign larger = {x[InWidth-1] ^ Signed, x[InWidth-2:0]}
                    > {y[Bits-1] ^ Signed, y[Bits-2:0]};
      assign result[e*Bits +: Bits] = larger ? Bits'(x) : y;
    end
  end

  //// What the windows under way have come to ////
  if (Positions <= 1) begin : gen_nothing
    assign partial = {Pe{Start}};
    logic unused_first;
    assign unused_first = first;

  end else if (Folds <= 1) begin : gen_register
    logic [Pe*Bits-1:0] partial_q;
    logic               unused_first;
    assign unused_first = first;
    assign partial      = partial_q;
    always_ff @(posedge clk_i) begin
      if (valid_q && ready_o) partial_q <= last_q ? {Pe{Start}} : result;
      if (!rst_ni) partial_q <= {Pe{Start}};
    end

  end else begin : gen_memory
    // Never read and written at the same address in one cycle.
    (* no_rw_check, ram_style = MemoryStyle *) logic [Pe*Bits-1:0] mem [Folds];
    logic [Pe*Bits-1:0]   partial_q;
    logic [FoldWidth-1:0] write_q;
    assign partial = partial_q;
    always_ff @(posedge clk_i) begin
      if (valid_q) mem[write_q] <= result;
      if (ready_o) begin
        partial_q <= first ? {Pe{Start}} : mem[fold_q];
        write_q   <= fold_q;
      end
    end
  end

  xnorflow_fifo #(
    .Width      (Pe * Bits),
    .Depth      (OutputDepth),
    .MemoryStyle(OutputStyle)
  ) u_output (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (result),
    .valid_i(valid_q & last_q),
    .ready_o(room),
    .data_o (data_o),
    .valid_o(valid_o),
    .ready_i(ready_i)
  );

endmodule

`default_nettype wire
