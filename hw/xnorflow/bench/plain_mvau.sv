// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What xnorflow's matrix-vector unit is measured against: the same function in plain behavioral
// code. Products are counted in a loop, thresholds compared, weights read from block RAM, and one
// enable stops the whole pipeline. Ports, fold order and weight words are those of xnorflow_mvau.
//
//   threshold word:  bits p*AccWidth and up    neuron nf*Pe + p fires from this count on

`default_nettype none

module plain_mvau #(
  // Inputs of a frame, neurons, inputs of a beat, neurons at a time: Simd divides Mw, Pe divides Mh.
  parameter int unsigned Mw = 64,
  parameter int unsigned Mh = 64,
  parameter int unsigned Simd = 64,
  parameter int unsigned Pe = 16,
  // Bits that hold 0 to Mw + 1.
  parameter int unsigned AccWidth = 7,
  // $readmemh files: Nf * Sf weight words, Nf threshold words.
  parameter string WeightFile = "weights.mem",
  parameter string ThresholdFile = "thresholds.mem"
) (
  input  wire logic            clk_i,
  input  wire logic            rst_ni,
  input  wire logic [Simd-1:0] data_i,
  input  wire logic            valid_i,
  output logic                 ready_o,
  output logic      [Pe-1:0]   data_o,
  output logic                 valid_o,
  input  wire logic            ready_i
);

  localparam int unsigned Sf = Mw / Simd;
  localparam int unsigned Nf = Mh / Pe;
  localparam int unsigned SfWidth = (Sf > 1) ? $clog2(Sf) : 1;
  localparam int unsigned NfWidth = (Nf > 1) ? $clog2(Nf) : 1;
  localparam int unsigned WordWidth = (Sf * Nf > 1) ? $clog2(Sf * Nf) : 1;

  (* rom_style = "block" *) logic [Pe*Simd-1:0] weights [Sf*Nf];
  logic [Pe*AccWidth-1:0] thresholds [Nf];
  initial $readmemh(WeightFile, weights);
  initial $readmemh(ThresholdFile, thresholds);

  logic [SfWidth-1:0]   sf_q;
  logic [NfWidth-1:0]   nf_q, read_nf_q, count_nf_q;
  logic [WordWidth-1:0] word_q;
  logic                 enable, step, last;

  assign enable  = ready_i | ~valid_o;
  assign step    = enable & (valid_i | (nf_q != '0));
  assign ready_o = enable & (nf_q == '0);
  assign last    = sf_q == SfWidth'(Sf - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      sf_q   <= '0;
      nf_q   <= '0;
      word_q <= '0;
    end else if (step) begin
      sf_q   <= last ? '0 : sf_q + 1'b1;
      word_q <= (word_q == WordWidth'(Sf * Nf - 1)) ? '0 : word_q + 1'b1;
      if (last) nf_q <= (nf_q == NfWidth'(Nf - 1)) ? '0 : nf_q + 1'b1;
    end
  end

  // Stage 1: the inputs, from the stream or from the buffer, and their weights.
  logic [Simd-1:0]    buffer [Sf];
  logic [Simd-1:0]    input_q;
  logic [Pe*Simd-1:0] weight_q;
  logic               read_valid_q, read_first_q, read_last_q;

  always_ff @(posedge clk_i) begin
    if (step && nf_q == '0) buffer[sf_q] <= data_i;
    if (enable) begin
      input_q      <= (nf_q == '0) ? data_i : buffer[sf_q];
      weight_q     <= weights[word_q];
      read_first_q <= sf_q == '0;
      read_last_q  <= last;
      read_nf_q    <= nf_q;
    end
    if (!rst_ni)     read_valid_q <= 1'b0;
    else if (enable) read_valid_q <= step;
  end

  // Stage 2: count and add up; stage 3: compare.
  logic                   count_valid_q;
  logic [Pe*AccWidth-1:0] threshold;

  assign threshold = thresholds[count_nf_q];

  for (genvar p = 0; p < Pe; p++) begin : gen_neuron
    logic [Simd-1:0]     equal;
    logic [AccWidth-1:0] acc_d, acc_q;

    assign equal = input_q ~^ weight_q[p*Simd +: Simd];

    always_comb begin
      acc_d = read_first_q ? '0 : acc_q;
      for (int unsigned s = 0; s < Simd; s++) acc_d = acc_d + AccWidth'(equal[s]);
    end

    always_ff @(posedge clk_i) begin
      if (enable && read_valid_q) acc_q <= acc_d;
      if (enable) data_o[p] <= acc_q >= threshold[p*AccWidth +: AccWidth];
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable) count_nf_q <= read_nf_q;
    if (!rst_ni) begin
      count_valid_q <= 1'b0;
      valid_o       <= 1'b0;
    end else if (enable) begin
      count_valid_q <= read_valid_q & read_last_q;
      valid_o       <= count_valid_q;
    end
  end

endmodule

`default_nettype wire
