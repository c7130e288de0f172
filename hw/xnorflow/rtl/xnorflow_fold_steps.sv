// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Issues the fold steps of a matrix-vector unit, one a cycle, and counts them.
//
// Why this structure: what a step is told, whether it is the first or last of something, is
// compared one step ahead, so that a flip-flop drives it and no comparison lies in front of it.
//
// A frame is Sf * Nf steps (nf, sf), sf fastest; the steps of the first neuron fold take a beat of
// the stream each. A step is issued when there is a credit and, if it takes a beat, a beat.
//
// Latency: 0 cycles from a beat to its step.
// Interval: exactly Sf * Nf cycles a frame while beats are offered and credits are there.
// Cost: Sf 16, Nf 4: 18 LUT, 15 FF (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_fold_steps #(
  // Beats of a frame, >= 1.
  parameter int unsigned Sf = 16,
  // Neuron folds of a frame, >= 1.
  parameter int unsigned Nf = 4,
  // Follows: bits of the number of a beat, and of a step.
  localparam int unsigned SfWidth   = (Sf > 1) ? $clog2(Sf) : 1,
  localparam int unsigned WordWidth = (Sf * Nf > 1) ? $clog2(Sf * Nf) : 1
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,
  // Stream in, without its data
  input  wire logic                 valid_i,
  output logic                      ready_o,
  // There is room for the result that a step may give.
  input  wire logic                 credit_i,
  // A step
  output logic                      issue_o,
  output logic      [SfWidth-1:0]   sf_o,
  output logic      [WordWidth-1:0] word_o,      // nf * Sf + sf
  output logic                      first_nf_o,  // nf is 0: the step takes a beat
  output logic                      last_sf_o    // sf is Sf - 1: the step gives a result
);

  if (Sf < 1 || Nf < 1) begin : gen_check_folds
    $error("xnorflow_fold_steps: Sf and Nf must be at least 1");
  end

  localparam int unsigned NfWidth = (Nf > 1) ? $clog2(Nf) : 1;

  logic [SfWidth-1:0]   sf_d, sf_q;
  logic [NfWidth-1:0]   nf_d, nf_q;
  logic [WordWidth-1:0] word_d, word_q;
  logic                 last_sf_d, last_sf_q;
  logic                 first_nf_d, first_nf_q, last_nf_d, last_nf_q;

  assign issue_o    = (valid_i | ~first_nf_q) & credit_i;
  assign ready_o    = first_nf_q & credit_i;
  assign sf_o       = sf_q;
  assign word_o     = word_q;
  assign first_nf_o = first_nf_q;
  assign last_sf_o  = last_sf_q;

  always_comb begin
    sf_d       = sf_q;
    nf_d       = nf_q;
    word_d     = word_q;
    last_sf_d  = last_sf_q;
    first_nf_d = first_nf_q;
    last_nf_d  = last_nf_q;
    if (issue_o) begin
      sf_d      = last_sf_q ? '0 : sf_q + 1'b1;
      word_d    = (last_sf_q & last_nf_q) ? '0 : word_q + 1'b1;
      last_sf_d = Sf == 1 || sf_q == SfWidth'(Sf - 2);
      if (last_sf_q) begin
        nf_d       = last_nf_q ? '0 : nf_q + 1'b1;
        first_nf_d = last_nf_q;
        last_nf_d  = Nf == 1 || nf_q == NfWidth'(Nf - 2);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      sf_q       <= '0;
      nf_q       <= '0;
      word_q     <= '0;
      last_sf_q  <= Sf == 1;
      first_nf_q <= 1'b1;
      last_nf_q  <= Nf == 1;
    end else begin
      sf_q       <= sf_d;
      nf_q       <= nf_d;
      word_q     <= word_d;
      last_sf_q  <= last_sf_d;
      first_nf_q <= first_nf_d;
      last_nf_q  <= last_nf_d;
    end
  end

endmodule

`default_nettype wire
