// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What the accumulators of a matrix-vector unit start from, neuron fold by neuron fold.
//
// Why this structure: a counter of its own follows the neuron folds where the accumulators are, so
// that no number has to travel along the pipeline; what is read can be cleared by the read
// register's reset, which costs no LUT in front of the accumulators.
//
// Latency: 1 cycle. Interval: 1 cycle.
// Cost: a memory of Nf words and a counter; few neuron folds: less than a LUT a bit.

`default_nettype none

module xnorflow_start_values #(
  // Neuron folds of a frame, >= 1.
  parameter int unsigned Nf = 4,
  // Bits of the start values of a neuron fold, >= 1.
  parameter int unsigned Width = 64,
  // $readmemh file, relative to the working directory: Nf words.
  parameter string File = "starts.mem"
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  // From the next cycle on the next neuron fold's are read.
  input  wire logic             next_i,
  // Start values, or 0, in the next cycle
  input  wire logic             enable_i,
  output logic      [Width-1:0] start_o
);

  if (Nf < 1 || Width < 1) begin : gen_check_positive
    $error("xnorflow_start_values: Nf and Width must be at least 1");
  end
  if (File == "") begin : gen_check_file
    $error("xnorflow_start_values: File must be named");
  end

  localparam int unsigned Words   = (Nf > 0) ? Nf : 1;
  localparam int unsigned NfWidth = (Nf > 1) ? $clog2(Nf) : 1;
  localparam logic [NfWidth-1:0] LastNf = NfWidth'(Nf - 1);

  logic [Width-1:0]   starts [Words];
  logic [Width-1:0]   start_q;
  logic [NfWidth-1:0] nf_d, nf_q;

  assign start_o = start_q;

  initial $readmemh(File, starts);

  always_comb begin
    nf_d = nf_q;
    if (next_i) nf_d = (nf_q == LastNf) ? '0 : nf_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    start_q <= enable_i ? starts[nf_q] : '0;
    if (!rst_ni) nf_q <= '0;
    else         nf_q <= nf_d;
  end

endmodule

`default_nettype wire
