// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Sliding window generator with built-in padding: turns a stream of maps into a stream of windows,
// in front of a matrix unit; follows the stream rules.
//
// Why this structure: the map is one line of beats, y * Columns * Folds + x * Folds + f, frame
// after frame, and the memory a ring along it. A window is a walk along that line: every step of
// it, back to the next window or on to the next frame as well, adds one of five constants.
// Padding has places on the line too (those of the neighboring rows), so that nothing is special
// about it but that no memory is read. Two counts guard the ring: beats written ahead of the next
// read, and places that no window from the present one on can need. The output register is the
// memory's read register, and padding its synchronous reset.
//
//   input beat:   (y, x, f), f fastest; element e of fold f is channel f*Simd + e
//   output beat:  (oy, ox, ky, kx, f), f fastest; (y, x) = (oy*StrideRows - PadTop + ky,
//                 ox*StrideColumns - PadLeft + kx), PadValue outside the map
//
// Interval: exactly max(input beats, output beats) cycles a frame while beats are offered and
// taken: the ring has room for the beats by which either side may run ahead of the other.
// Latency: 2 cycles from a frame's first beat to its first one out, which padding waits for too,
// and from any beat that is waited for.
// Cost: 32 x 32 x 64 map, 3 x 3 windows, padding of 1, Simd 64, 1 bit: 57 LUT, 50 FF, 1 RAMB36 (128
// words); in LUTRAM 124 LUT + 44 RAM64M, 114 FF (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_swg #(
  // Rows and columns of the map coming in, >= 1.
  parameter int unsigned Rows = 8,
  parameter int unsigned Columns = 8,
  // Channels, >= 1, and those of a beat, >= 1; Simd divides Channels.
  parameter int unsigned Channels = 4,
  parameter int unsigned Simd = 4,
  // Bits of an element, >= 1.
  parameter int unsigned Bits = 1,
  // Rows and columns of a window, >= 1; at most those of the padded map.
  parameter int unsigned KernelRows = 3,
  parameter int unsigned KernelColumns = 3,
  // From one window to the next, >= 1.
  parameter int unsigned StrideRows = 1,
  parameter int unsigned StrideColumns = 1,
  // Rows and columns of padding, less than those of a window.
  parameter int unsigned PadTop = 0,
  parameter int unsigned PadBottom = 0,
  parameter int unsigned PadLeft = 0,
  parameter int unsigned PadRight = 0,
  // Each element of padding; 0 stands for -1 where elements are bipolar.
  parameter logic [Bits-1:0] PadValue = '0,
  // Memory of the ring: "auto" (up to the tool), "block" (block RAM) or "distributed" (LUTRAM).
  parameter string MemoryStyle = "auto"
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,
  // Map in
  input  wire logic [Simd*Bits-1:0] data_i,
  input  wire logic                 valid_i,
  output logic                      ready_o,
  // Windows out
  output logic      [Simd*Bits-1:0] data_o,
  output logic                      valid_o,
  input  wire logic                 ready_i
);

  localparam bit Positive = Rows > 0 && Columns > 0 && Channels > 0 && Simd > 0 && Bits > 0
      && KernelRows > 0 && KernelColumns > 0 && StrideRows > 0 && StrideColumns > 0;
  localparam bit Divides = Simd > 0 && Channels % Simd == 0;
  localparam bit PadLess = PadTop < KernelRows && PadBottom < KernelRows
      && PadLeft < KernelColumns && PadRight < KernelColumns;
  localparam bit Fits = KernelRows <= Rows + PadTop + PadBottom
      && KernelColumns <= Columns + PadLeft + PadRight;
  if (!Positive) begin : gen_check_positive
    $error("xnorflow_swg: sizes of map, beat, element, kernel and strides must be at least 1");
  end else begin : gen_check_shape
    if (!Divides) begin : gen_check_simd
      $error("xnorflow_swg: Simd must divide Channels");
    end
    if (!PadLess) begin : gen_check_pad
      $error("xnorflow_swg: padding must be less than the kernel");
    end else if (!Fits) begin : gen_check_kernel
      $error("xnorflow_swg: the kernel must fit into the padded map");
    end
  end

  // Signed, since steps go both ways, and legal where the checks above fail.
  localparam bit Legal = Positive && Divides && PadLess && Fits;
  localparam int R  = Legal ? int'(Rows) : 1;
  localparam int C  = Legal ? int'(Columns) : 1;
  localparam int F  = Legal ? int'(Channels / Simd) : 1;
  localparam int KR = Legal ? int'(KernelRows) : 1;
  localparam int KC = Legal ? int'(KernelColumns) : 1;
  localparam int SR = Legal ? int'(StrideRows) : 1;
  localparam int SC = Legal ? int'(StrideColumns) : 1;
  localparam int PT = Legal ? int'(PadTop) : 0;
  localparam int PB = Legal ? int'(PadBottom) : 0;
  localparam int PL = Legal ? int'(PadLeft) : 0;
  localparam int PR = Legal ? int'(PadRight) : 0;
  localparam int Lanes = Legal ? int'(Simd) : 1;

  // Windows below the first row of them, and to the right of the first column.
  localparam int MoreRows    = (R + PT + PB - KR) / SR;
  localparam int MoreColumns = (C + PL + PR - KC) / SC;

  // Lengths along the line, in beats.
  localparam int Line    = C * F;
  localparam int Visit   = KR * KC * F;  // output beats of a window
  localparam int Span    = (KR - 1) * Line + KC * F;  // input beats from its first to its last one
  localparam int Gap     = Line - KC * F;  // input beats between its rows
  localparam int Lead    = PT * Line + PL * F;  // from a frame's first window to its first beat
  localparam int ToNext  = SC * F;  // from a window to the next in its row
  localparam int ToRow   = SR * Line - MoreColumns * ToNext;  // from the last one of a row
  localparam int ToFrame = (R - MoreRows * SR) * Line - MoreColumns * ToNext;  // and of a frame

  // The ring holds what is between the first beat of a window and the last one that either it
  // waits for, or the side with more beats a frame must not wait for. That side runs all the time;
  // the other one, where it has less to do from window to window, gets ahead of it.
  function automatic int larger(int a, int b);
    return (a > b) ? a : b;
  endfunction

  // Largest sum of what is gained by consecutive steps from window to window.
  function automatic int largest_gain(int to_next, int to_row, int to_frame);
    int columns = MoreColumns * to_next;
    int rows = MoreRows * larger(columns + to_row, 0) + larger(columns + to_frame, 0);
    int one = to_frame;
    if (rows > 0) return rows + larger(columns, -columns);
    if (MoreRows > 0) one = larger(one, to_row);
    if (MoreColumns > 0) one = larger(one, larger(to_next, columns));
    return one;
  endfunction

  localparam int Gain = ((MoreRows + 1) * (MoreColumns + 1) * Visit >= R * Line)
      ? largest_gain(ToNext - Visit, ToRow - Visit, ToFrame - Visit)
      : larger(largest_gain(Visit - ToNext, Visit - ToRow, Visit - ToFrame), 0);
  localparam int Depth = larger(Span, Visit + Gain + larger(Lead, (KR - 1) * larger(Gap, 0)) + 1);

  localparam int FWidth  = (F > 1) ? $clog2(F) : 1;
  localparam int KxWidth = (KC > 1) ? $clog2(KC) : 1;
  localparam int KyWidth = (KR > 1) ? $clog2(KR) : 1;
  // Place in the map modulo a power of two: -1, left of it or above it, is the largest number.
  localparam int XWidth  = (C + PL + PR > 1) ? $clog2(C + PL + PR) : 1;
  localparam int YWidth  = (R + PT + PB > 1) ? $clog2(R + PT + PB) : 1;
  localparam int EndX    = MoreColumns * SC - PL + KC - 1;
  localparam int EndY    = MoreRows * SR - PT + KR - 1;

  logic [FWidth-1:0]  f_q;
  logic [KxWidth-1:0] kx_q;
  logic [KyWidth-1:0] ky_q;
  logic [XWidth-1:0]  x_q, step_x;
  logic [YWidth-1:0]  y_q, step_y;
  logic               last_f, last_kx, last_ky, last_x, last_y;  // each implies those before
  logic               first_q, pad_x, pad_y, issue;

  assign last_f  = f_q == FWidth'(F - 1);
  assign last_kx = last_f & (kx_q == KxWidth'(KC - 1));
  assign last_ky = last_kx & (ky_q == KyWidth'(KR - 1));
  assign last_x  = last_ky & (x_q == XWidth'(EndX));
  assign last_y  = last_x & (y_q == YWidth'(EndY));

  always_comb begin
    step_x = XWidth'(last_f);
    step_y = '0;
    if (last_kx) begin
      step_x = XWidth'(1 - KC);
      step_y = YWidth'(1);
    end
    if (last_ky) begin
      step_x = XWidth'(SC + 1 - KC);
      step_y = YWidth'(1 - KR);
    end
    if (last_x) begin
      step_x = XWidth'(-PL - EndX);
      step_y = YWidth'(SR + 1 - KR);
    end
    if (last_y) step_y = YWidth'(-PT - EndY);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      f_q     <= '0;
      kx_q    <= '0;
      ky_q    <= '0;
      x_q     <= XWidth'(-PL);
      y_q     <= YWidth'(-PT);
      first_q <= 1'b1;
    end else if (issue) begin
      f_q <= last_f ? '0 : f_q + 1'b1;
      if (last_f) kx_q <= last_kx ? '0 : kx_q + 1'b1;
      if (last_kx) ky_q <= last_ky ? '0 : ky_q + 1'b1;
      x_q     <= x_q + step_x;
      y_q     <= y_q + step_y;
      first_q <= last_y;
    end
  end

  if (PL + PR > 0) begin : gen_pad_x
    assign pad_x = x_q >= XWidth'(C);
  end else begin : gen_no_pad_x
    assign pad_x = 1'b0;
  end
  if (PT + PB > 0) begin : gen_pad_y
    assign pad_y = y_q >= YWidth'(R);
  end else begin : gen_no_pad_y
    assign pad_y = 1'b0;
  end

  xnorflow_swg_ring #(
    .Width      (Lanes * Bits),
    .Depth      (Depth),
    .Span       (Span),
    .Gap        (Gap),
    .Lead       (Lead),
    .ToNext     (ToNext),
    .ToRow      (ToRow),
    .ToFrame    (ToFrame),
    .PadValue   ({Lanes{PadValue}}),
    .MemoryStyle(MemoryStyle)
  ) u_ring (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data_i),
    .valid_i(valid_i),
    .ready_o(ready_o),
    .last_i ({last_y, last_x, last_ky, last_kx}),
    .first_i(first_q),
    .pad_i  (pad_x | pad_y),
    .issue_o(issue),
    .data_o (data_o),
    .valid_o(valid_o),
    .ready_i(ready_i)
  );

endmodule

`default_nettype wire
