// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Control of a matrix-vector unit: what comes in when, where a fold step is in the pipeline, and
// the buffer of the results. What is computed is around it.
//
// Why this structure: the pipeline runs freely, without an enable whose fan-out would limit the
// clock. A step that gives a result spends a credit of the output buffer when it is issued, so
// there is always room for what is in flight; a bit a stage says whether a step is there. An
// output buffer of 32 results costs as much as one of five (LUTRAM), so beats that would wait in a
// FIFO behind the unit may wait in here.
//
// A frame is Sf * Nf steps (nf, sf), sf fastest; those of nf = 0 take a beat of the stream each,
// those of sf = Sf - 1 give a result, which is to be offered at result_i Stages + 1 cycles later.
//
// Latency: Stages + 3 cycles from a neuron fold's last step to its result.
// Interval: exactly Sf * Nf cycles a frame while beats are offered and results are taken.
// Cost: Sf 16, Nf 4, 4 stages, results of 16 bits: 35 LUT + 3 RAM32M, 52 FF (yosys, xc7, mapped
// cells).

`default_nettype none

module xnorflow_fold_pipeline #(
  // Beats of a frame, >= 1, and neuron folds of a frame, >= 1.
  parameter int unsigned Sf = 16,
  parameter int unsigned Nf = 4,
  // Cycles from a step to the last accumulator's input, >= 2.
  parameter int unsigned Stages = 4,
  // Bits of a result, >= 1.
  parameter int unsigned Width = 16,
  // Results that wait to be taken, at least; 0: those that the pipeline needs. Memory as that of
  // xnorflow_fifo.
  parameter int unsigned OutputDepth = 0,
  parameter string OutputStyle = "auto",
  // Follows: bits of the number of a beat, and of a step.
  localparam int unsigned SfWidth   = (Sf > 1) ? $clog2(Sf) : 1,
  localparam int unsigned WordWidth = (Sf * Nf > 1) ? $clog2(Sf * Nf) : 1
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,
  // Stream in, without its data
  input  wire logic                 valid_i,
  output logic                      ready_o,
  // A step, as xnorflow_fold_steps says
  output logic                      issue_o,
  output logic      [SfWidth-1:0]   sf_o,
  output logic      [WordWidth-1:0] word_o,
  output logic                      first_nf_o,
  // Stages: bit s: a step that was issued s + 1 cycles ago; it is the last of its neuron fold
  output logic      [Stages-1:0]    step_valid_o,
  output logic      [Stages-1:0]    step_last_o,
  // Results of the unit, and the stream out
  input  wire logic [Width-1:0]     result_i,
  output logic      [Width-1:0]     data_o,
  output logic                      valid_o,
  input  wire logic                 ready_i
);

  if (Stages < 2 || Width < 1) begin : gen_check_stages
    $error("xnorflow_fold_pipeline: Stages must be at least 2 and Width at least 1");
  end

  // Results in flight at full rate and one that is being handed out; memory of 2**n words.
  localparam int unsigned InFlight = (Stages + 3 + Sf) / ((Sf > 0) ? Sf : 1) + 1;
  localparam int unsigned Needed   = (InFlight < 4) ? 5 : 2 ** $clog2(InFlight) + 1;
  localparam int unsigned Places   = (OutputDepth > Needed) ? OutputDepth : Needed;

  logic              credit, last_sf, result_valid_q;
  logic [Stages-1:0] step_valid_q, step_last_q;

  assign step_valid_o = step_valid_q;
  assign step_last_o  = step_last_q;

  xnorflow_fold_steps #(
    .Sf(Sf),
    .Nf(Nf)
  ) u_steps (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .valid_i   (valid_i),
    .ready_o   (ready_o),
    .credit_i  (credit),
    .issue_o   (issue_o),
    .sf_o      (sf_o),
    .word_o    (word_o),
    .first_nf_o(first_nf_o),
    .last_sf_o (last_sf)
  );

  always_ff @(posedge clk_i) begin
    step_last_q <= {step_last_q[Stages-2:0], last_sf};
    if (!rst_ni) begin
      step_valid_q   <= '0;
      result_valid_q <= 1'b0;
    end else begin
      step_valid_q   <= {step_valid_q[Stages-2:0], issue_o};
      result_valid_q <= step_valid_q[Stages-1] & step_last_q[Stages-1];
    end
  end

  xnorflow_credit_fifo #(
    .Width      (Width),
    .Depth      (Places),
    .MemoryStyle(OutputStyle)
  ) u_output (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .credit_o(credit),
    .take_i  (issue_o & last_sf),
    .data_i  (result_i),
    .valid_i (result_valid_q),
    .data_o  (data_o),
    .valid_o (valid_o),
    .ready_i (ready_i)
  );

endmodule

`default_nettype wire
