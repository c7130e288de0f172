// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Number of positions in which two bit vectors agree: popcount(data XNOR weight).
//
// Why this structure: a +-1 dot product of N elements is 2 * popcount - N, and the scale and
// offset are folded into the start value of the accumulator. Chunks of 32 bits are counted by a
// plain loop, which simulators turn into a few instructions and synthesis into a tree of its
// own; the counts of the chunks then meet in a pipelined adder tree.
//
// Latency: 1 + ($clog2(ceil(Width / 32)) + 1) / 2 cycles: 1 up to 32 bits, 2 up to 128, 3 up to
// 512, 4 up to 2,048.
// Interval: 1 cycle; no handshake.
// Cost: 2.0 to 2.2 LUT a bit: 97 for 49 bits, 132 for 64, 548 for 256 (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_xnor_popcount #(
  // Bits compared, >= 1.
  parameter int unsigned Width = 64,
  // Follows: bits of the count.
  localparam int unsigned CountWidth = $clog2(Width + 1)
) (
  input  wire logic                  clk_i,
  input  wire logic [Width-1:0]      data_i,
  input  wire logic [Width-1:0]      weight_i,
  output logic      [CountWidth-1:0] count_o
);

  if (Width < 1) begin : gen_check_width
    $error("xnorflow_xnor_popcount: Width must be at least 1");
  end

  localparam int unsigned ChunkBits  = 32;
  localparam int unsigned Chunks     = (Width + ChunkBits - 1) / ChunkBits;
  localparam int unsigned ChunkWidth = (Chunks == 1) ? CountWidth : $clog2(ChunkBits + 1);
  localparam int unsigned SumWidth   = ChunkWidth + $clog2(Chunks);

  logic [Chunks*ChunkWidth-1:0] chunks_q;
  logic [SumWidth-1:0]          sum;

  for (genvar c = 0; c < Chunks; c++) begin : gen_chunk
    localparam int unsigned Left = Width - c * ChunkBits;
    localparam int unsigned Used = (Left < ChunkBits) ? Left : ChunkBits;
    logic [Used-1:0] equal;
    assign equal = data_i[c*ChunkBits +: Used] ~^ weight_i[c*ChunkBits +: Used];
    always_ff @(posedge clk_i) begin
      chunks_q[c*ChunkWidth +: ChunkWidth] <= ChunkWidth'($countones(equal));
    end
  end

  xnorflow_sum_tree #(
    .Terms (Chunks),
    .Width (ChunkWidth),
    .Signed(1'b0)
  ) u_sum_tree (
    .clk_i  (clk_i),
    .terms_i(chunks_q),
    .sum_o  (sum)
  );

  // The sum's width is that of full chunks; its top bit may be more than a count ever needs.
  logic unused_top;
  assign unused_top = sum[SumWidth-1];
  assign count_o    = CountWidth'(sum);

endmodule

`default_nettype wire
