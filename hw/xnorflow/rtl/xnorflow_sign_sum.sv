// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Sum of integers, each taken as it is or as its one's complement: sum of (weight ? x : ~x).
//
// Why this structure: the product of x with a +-1 weight is x or -x = ~x + 1. The one's
// complement is an XOR that melts into the LUT in front of the first adder; the ones that are
// missing, as many as there are -1 weights, are constant and belong into the start value of the
// accumulator. There are two bodies of the same function and latency: synthesis takes a pipelined
// adder tree, simulation one popcount for each bit plane of the terms, which a simulator runs and
// compiles several times faster. The tests check both against the same vectors.
//
// Latency: ($clog2(Terms) + 1) / 2 cycles, rounded down: 0 for one term, 1 up to 4, 2 up to 16,
// 3 up to 64, 4 up to 256.
// Interval: 1 cycle; no handshake.
// Cost: 1.9 LUT a bit of input: 727 for 49 terms of 8 bits, 1,664 for 112 (yosys, xc7, mapped
// cells).

`default_nettype none

module xnorflow_sign_sum #(
  // Number of terms, >= 1.
  parameter int unsigned Terms = 16,
  // Bits of a two's complement term, >= 2.
  parameter int unsigned Width = 8,
  // Follows: bits of the sum.
  localparam int unsigned SumWidth = Width + $clog2(Terms)
) (
  input  wire logic                       clk_i,
  // Term t at bits t*Width and up
  input  wire logic        [Terms*Width-1:0] data_i,
  // 1: the term counts as it is; 0: as its one's complement
  input  wire logic        [Terms-1:0]       weight_i,
  output logic signed      [SumWidth-1:0]    sum_o
);

  if (Terms < 1) begin : gen_check_terms
    $error("xnorflow_sign_sum: Terms must be at least 1");
  end
  if (Width < 2) begin : gen_check_width
    $error("xnorflow_sign_sum: Width must be at least 2");
  end

`ifdef SYNTHESIS
  //// Tree of adders ////
  logic [Terms*Width-1:0] terms;
  logic [SumWidth-1:0]    sum;

  for (genvar t = 0; t < Terms; t++) begin : gen_term
    assign terms[t*Width +: Width] = data_i[t*Width +: Width] ^ {Width{~weight_i[t]}};
  end

  xnorflow_sum_tree #(
    .Terms (Terms),
    .Width (Width),
    .Signed(1'b1)
  ) u_sum_tree (
    .clk_i  (clk_i),
    .terms_i(terms),
    .sum_o  (sum)
  );

  assign sum_o = signed'(sum);

`else
  //// One popcount for each bit of the terms ////
  localparam int unsigned Latency = ($clog2(Terms) + 1) / 2;

  logic signed [SumWidth-1:0] stage [Latency+1];

  for (genvar b = 0; b < Width; b++) begin : gen_plane
    logic [Terms-1:0]    bits;   // bit b of all terms
    logic [SumWidth-1:0] total;  // of this bit and the lower ones
    for (genvar t = 0; t < Terms; t++) begin : gen_term
      assign bits[t] = data_i[t*Width+b];
    end
    if (b == 0) begin : gen_lowest
      assign total = SumWidth'($countones(bits ~^ weight_i));
    end else if (b < Width - 1) begin : gen_middle
      assign total = gen_plane[b-1].total + (SumWidth'($countones(bits ~^ weight_i)) << b);
    end else begin : gen_sign
      assign total = gen_plane[b-1].total - (SumWidth'($countones(bits ~^ weight_i)) << b);
    end
  end

  assign stage[0] = signed'(gen_plane[Width-1].total);

  for (genvar l = 1; l <= Latency; l++) begin : gen_stage
    always_ff @(posedge clk_i) stage[l] <= stage[l-1];
  end

  if (Latency == 0) begin : gen_no_clock
    logic unused_clk;
    assign unused_clk = clk_i;
  end

  assign sum_o = stage[Latency];
`endif

endmodule

`default_nettype wire
