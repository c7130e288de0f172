// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// One or two neurons with weights of +-1 on multipliers. A part of xnorflow_dsp_unit: no handshake.
//
// Why this structure: a multiplier of an FPGA is much wider than a product with +-1, and adds to
// 48 bits. The factor w1 * 2**AccWidth + w0 multiplies an input with the weights of two neurons;
// both sums stand in one word, the first neuron's in the low bits. Start values are offset by half
// of the range, so that the lower sum is never negative and nothing is borrowed from the upper
// one, and the top bit of each says that its sum is at least 0. In two's complement the factor is
//
//   ~w1   w0   ~w0 ... ~w0   1        bits AccWidth + 1, AccWidth, AccWidth - 1 to 1, 0
//
// with weights as bits, 1 = +1. Its lowest bit, which is 1 wherever anything counts on it, is
// valid_i, since a constant could not go into the multiplier's input register.
//
// Terms of a beat are added from one multiplier to the next, a cycle each, so that term t has to
// come t cycles after term 0. Operands, products and sums have a register each, as the multiplier
// has inside. Steps = 1: the start value enters at the first multiplier. Terms = 1: the multiplier
// accumulates. Several of both: the sums of the beats are accumulated behind the last multiplier.
//
// Latency: 3 cycles for one term, Terms + 2 for one step, else Terms + 3.
// Interval: 1 cycle; no handshake.
// Cost: Terms DSP48E1 and an inverter each, and where several of both are 2 * AccWidth LUT and FF
// (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_dsp_pair #(
  // Inputs of a beat, >= 1.
  parameter int unsigned Terms = 1,
  // Bits of an input, 2 to 18.
  parameter int unsigned Width = 8,
  // Neurons, 1 or 2.
  parameter int unsigned Neurons = 2,
  // Bits of a sum, 2 to 23.
  parameter int unsigned AccWidth = 16,
  // Whether one beat is all of a sum.
  parameter bit OneStep = 1'b0,
  // Follows: bits of all sums.
  localparam int unsigned SumWidth = Neurons * AccWidth
) (
  input  wire logic                     clk_i,
  // Terms, t cycles after term 0: input t at bits t*Width and up, whether the weight of neuron n is
  // -1 at bit t*Neurons + n, and whether term t is one
  input  wire logic [Terms*Width-1:0]   data_i,
  input  wire logic [Terms*Neurons-1:0] negative_i,
  input  wire logic [Terms-1:0]         valid_i,
  // At the start value: it is loaded, or the sum grows by a beat
  input  wire logic                     enable_i,
  input  wire logic                     first_i,
  input  wire logic [SumWidth-1:0]      start_i,
  output logic      [SumWidth-1:0]      sum_o
);

  if (Terms < 1) begin : gen_check_terms
    $error("xnorflow_dsp_pair: Terms must be at least 1");
  end
  if (Width < 2 || Width > 18) begin : gen_check_width
    $error("xnorflow_dsp_pair: Width must be 2 to 18");
  end
  if (Neurons < 1 || Neurons > 2) begin : gen_check_neurons
    $error("xnorflow_dsp_pair: Neurons must be 1 or 2");
  end
  if (AccWidth < 2 || AccWidth > 23) begin : gen_check_acc_width
    $error("xnorflow_dsp_pair: AccWidth must be 2 to 23");
  end

  localparam int unsigned FactorWidth  = (Neurons == 2) ? AccWidth + 2 : 2;
  localparam int unsigned FullWidth    = FactorWidth + Width;
  localparam int unsigned ProductWidth = (FullWidth < SumWidth) ? FullWidth : SumWidth;

  //// Chain of multipliers ////
  logic [SumWidth-1:0] chain;  // behind the last one

  for (genvar t = 0; t < Terms; t++) begin : gen_term
    logic [Neurons-1:0]             negative;
    logic signed [FactorWidth-1:0]  factor_d, factor_q;
    logic signed [Width-1:0]        data_q;
    logic signed [ProductWidth-1:0] product_q;
    logic signed [SumWidth-1:0]     sum_q;

    assign negative = negative_i[t*Neurons +: Neurons];
    if (Neurons == 2) begin : gen_two
      assign factor_d = {negative[1], ~negative[0], {(AccWidth - 1){negative[0]}}, valid_i[t]};
    end else begin : gen_one
      assign factor_d = {negative[0], valid_i[t]};
    end

    always_ff @(posedge clk_i) begin
      factor_q  <= factor_d;
      data_q    <= data_i[t*Width +: Width];
      product_q <= ProductWidth'(factor_q) * ProductWidth'(data_q);
    end

    if (t > 0) begin : gen_next
      always_ff @(posedge clk_i) sum_q <= gen_term[t-1].sum_q + SumWidth'(product_q);
    end else if (OneStep) begin : gen_started
      always_ff @(posedge clk_i) sum_q <= signed'(start_i) + SumWidth'(product_q);
    end else if (Terms == 1) begin : gen_accumulated
      always_ff @(posedge clk_i) begin
        if (enable_i) sum_q <= (first_i ? signed'(start_i) : sum_q) + SumWidth'(product_q);
      end
    end else begin : gen_first
      always_ff @(posedge clk_i) sum_q <= SumWidth'(product_q);
    end

    if (t + 1 == Terms) begin : gen_last
      assign chain = sum_q;
    end
  end

  //// Sum of the beats ////
  if (Terms > 1 && !OneStep) begin : gen_beats
    logic [SumWidth-1:0] total_q;
    always_ff @(posedge clk_i) begin
      if (enable_i) total_q <= chain + (first_i ? start_i : total_q);
    end
    assign sum_o = total_q;
  end else begin : gen_end
    assign sum_o = chain;
  end

  if (OneStep) begin : gen_no_control
    logic unused_control;
    assign unused_control = enable_i ^ first_i;
  end

endmodule

`default_nettype wire
