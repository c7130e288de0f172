// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Sum of products of integers with weights of a few bits: sum of x * w.
//
// Why this structure: one tree of adders for each bit of the weights, whose terms are x where the
// weight has that bit and 0 elsewhere, and one sum of the trees at the places of their bits, the
// sign bit's taken away. The choice melts into the LUTs of the first adders, so a bit of a weight
// costs what a +-1 weight costs in xnorflow_sign_sum; a DSP block, which would be far too large for
// weights of two bits, is never taken.
//
// Latency: ($clog2(Terms) + 1) / 2 + ($clog2(WeightWidth) + 1) / 2 cycles, each rounded down: the
// trees, then the sum of 2 to 4 bits (1) or 5 to 16 (2).
// Interval: 1 cycle; no handshake.
// Cost: 1.7 LUT a bit of input and bit of weight: 427 for 16 terms of 8 bits with weights of 2
// bits, 1,757 with weights of 8 (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_product_sum #(
  // Number of terms, >= 1.
  parameter int unsigned Terms = 16,
  // Bits of a two's complement input, >= 2.
  parameter int unsigned Width = 8,
  // Bits of a two's complement weight, >= 2.
  parameter int unsigned WeightWidth = 2,
  // Follows: bits of the sum.
  localparam int unsigned SumWidth = Width + WeightWidth + $clog2(Terms)
) (
  input  wire logic                           clk_i,
  // Input t at bits t*Width and up
  input  wire logic [Terms*Width-1:0]         data_i,
  // Weight t at bits t*WeightWidth and up
  input  wire logic [Terms*WeightWidth-1:0]   weight_i,
  output logic signed [SumWidth-1:0]          sum_o
);

  if (Terms < 1) begin : gen_check_terms
    $error("xnorflow_product_sum: Terms must be at least 1");
  end
  if (Width < 2) begin : gen_check_width
    $error("xnorflow_product_sum: Width must be at least 2");
  end
  if (WeightWidth < 2) begin : gen_check_weight_width
    $error("xnorflow_product_sum: WeightWidth must be at least 2");
  end

  localparam int unsigned PlaneWidth = Width + $clog2(Terms);

  logic [WeightWidth*SumWidth-1:0] planes;
  logic [SumWidth+$clog2(WeightWidth)-1:0] total;

  for (genvar k = 0; k < WeightWidth; k++) begin : gen_plane
    logic [Terms*Width-1:0]       terms;
    logic [PlaneWidth-1:0]        sum;
    logic signed [SumWidth-1:0]   placed;

    for (genvar t = 0; t < Terms; t++) begin : gen_term
      assign terms[t*Width +: Width] =
          data_i[t*Width +: Width] & {Width{weight_i[t*WeightWidth+k]}};
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

    assign placed = SumWidth'(signed'(sum)) <<< k;
    assign planes[k*SumWidth +: SumWidth] = (k == WeightWidth - 1) ? -placed : placed;
  end

  xnorflow_sum_tree #(
    .Terms (WeightWidth),
    .Width (SumWidth),
    .Signed(1'b1)
  ) u_total (
    .clk_i  (clk_i),
    .terms_i(planes),
    .sum_o  (total)
  );

  // The sum fits; the tree does not know.
  logic unused_high;
  assign unused_high = ^total[SumWidth+$clog2(WeightWidth)-1:SumWidth];
  assign sum_o       = signed'(total[SumWidth-1:0]);

endmodule

`default_nettype wire
