// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Array of plain XNOR-popcounts behind xnorflow_xnor_unit, for any chip and for simulation.
//
// Why this structure: the same ports and the same latency as the arrays that are written for chips
// with LUTs of six inputs, around popcounts that simulators run fast and that synthesis spreads
// over all of that latency.
//
// Latency: Latency cycles from a beat to its counts.
// Interval: 1 cycle; no handshake.
// Cost: Pe times xnorflow_popcount_pipeline, and the weights.

`default_nettype none

module xnorflow_popcount_array #(
  // Products of a neuron, >= 1.
  parameter int unsigned Simd = 64,
  // Bits of an input, >= 1; 1: bits that stand for -1 and +1; more: two's complement.
  parameter int unsigned InputWidth = 1,
  // Neurons, >= 1.
  parameter int unsigned Pe = 16,
  // Weight words, >= 1.
  parameter int unsigned Words = 64,
  // Bits of a row, >= 1: it holds half of Simd * (2**InputWidth - 1).
  parameter int unsigned RowWidth = 6,
  // Cycles from a beat to its counts, >= 1, and at least those of xnorflow_sign_sum.
  parameter int unsigned Latency = 4,
  // $readmemh file, relative to the working directory: bit p*Simd + s is the weight of product s
  // for neuron p.
  parameter string WeightFile = "weights.mem",
  // Memory for the weights: "block" (block RAM) or "logic" (LUTs).
  parameter string WeightStyle = "logic",
  // Follows: bits of the number of a weight word.
  localparam int unsigned WordWidth = (Words > 1) ? $clog2(Words) : 1
) (
  input  wire logic                    clk_i,
  // Number of the weight word, two cycles before its beat
  input  wire logic [WordWidth-1:0]    word_i,
  input  wire logic [Simd*InputWidth-1:0] beat_i,
  // Counts: 2 * (row a + row b) + odd; row b is zero. Of inputs of several bits it is the sum of
  // (weight ? x : ~x), and Simd * 2**(InputWidth-1) more, so that it is not negative
  output logic      [Pe*RowWidth-1:0]  row_a_o,
  output logic      [Pe*RowWidth-1:0]  row_b_o,
  output logic      [Pe-1:0]           odd_o
);

  localparam int unsigned CountWidth   = $clog2(Simd * (2**InputWidth - 1) + 1);
  localparam int unsigned LeastLatency = (InputWidth == 1) ? 1 : ($clog2(Simd) + 1) / 2;

  if (Simd < 1 || InputWidth < 1 || Pe < 1 || Words < 1) begin : gen_check_positive
    $error("xnorflow_popcount_array: Simd, InputWidth, Pe and Words must be at least 1");
  end
  if (RowWidth < 1 || RowWidth + 1 < CountWidth) begin : gen_check_row_width
    $error("xnorflow_popcount_array: RowWidth must hold half of the largest count");
  end
  if (Latency < LeastLatency) begin : gen_check_latency
    $error("xnorflow_popcount_array: Latency must be at least that of the count");
  end
  if (WeightFile == "") begin : gen_check_file
    $error("xnorflow_popcount_array: WeightFile must be named");
  end
  if (WeightStyle != "block" && WeightStyle != "logic") begin : gen_check_style
    $error("xnorflow_popcount_array: WeightStyle must be block or logic");
  end

  (* rom_style = WeightStyle *) logic [Pe*Simd-1:0] weights [Words];
  logic [Pe*Simd-1:0] read_q, weight_q;

  initial $readmemh(WeightFile, weights);

  always_ff @(posedge clk_i) begin
    read_q   <= weights[word_i];
    weight_q <= read_q;
  end

  assign row_b_o = '0;

  for (genvar p = 0; p < Pe; p++) begin : gen_neuron
    logic [CountWidth-1:0] count;

    if (InputWidth == 1) begin : gen_popcount
      xnorflow_popcount_pipeline #(
        .Width  (Simd),
        .Latency(Latency)
      ) u_popcount (
        .clk_i   (clk_i),
        .data_i  (beat_i),
        .weight_i(weight_q[p*Simd +: Simd]),
        .count_o (count)
      );
    end else begin : gen_sign_sum
      // At least 0, so that the check above is what a wrong latency is told by.
      localparam int unsigned Delay = (Latency > LeastLatency) ? Latency - LeastLatency : 0;
      logic signed [InputWidth+$clog2(Simd)-1:0] sum;
      logic [CountWidth-1:0] delayed [Delay+1];
      xnorflow_sign_sum #(
        .Terms(Simd),
        .Width(InputWidth)
      ) u_sign_sum (
        .clk_i   (clk_i),
        .data_i  (beat_i),
        .weight_i(weight_q[p*Simd +: Simd]),
        .sum_o   (sum)
      );
      assign delayed[0] = CountWidth'(sum) + CountWidth'(Simd << (InputWidth - 1));
      for (genvar d = 0; d < Delay; d++) begin : gen_delay
        always_ff @(posedge clk_i) delayed[d+1] <= delayed[d];
      end
      assign count = delayed[Delay];
    end
    assign {row_a_o[p*RowWidth +: RowWidth], odd_o[p]} = (RowWidth + 1)'(count);
  end

endmodule

`default_nettype wire
