// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Matrix-vector unit of +-1 weights around an array that counts: all but the weights.
//
// Why this structure: how products are counted best depends on how many weights a LUT has to know,
// and constant weights make logic of their own for each neuron. So the array is outside and is
// written for each layer; this is what all of them need: the order of fold steps, the buffer of the
// inputs, accumulators that start from minus the threshold, so that the sign is the output, and
// credits for results, so that the pipeline needs no enable.
//
// A frame is Sf = Mw / Simd beats in and Nf = Mh / Pe beats out. Fold step (nf, sf), sf fastest,
// takes input beat sf and weight word nf * Sf + sf. Beats are read from the stream during the
// first Sf steps of a frame, all of them through the buffer. Several windows, which are several
// frames side by side, share the weights that are read, and the start values.
//
// The array is given, in each cycle, the weight word's number, and the beat that belongs to it two
// cycles later. CountLatency cycles behind the beat it gives the count of each neuron as rows:
// 2 * (row a + row b) + odd. It needs no reset and no enable.
//
// Interval: exactly Sf * Nf cycles a frame while beats are offered and results are taken.
// Latency: 5 + CountLatency cycles from the last beat of a frame's first neuron fold to its result.
// Cost: AccWidth LUT a neuron and window, 4 LUT for six inputs of the buffer of up to 32 beats,
// and about 60.

`default_nettype none

module xnorflow_xnor_unit #(
  // Inputs of a frame (columns), >= 1.
  parameter int unsigned Mw = 64,
  // Neurons (rows), >= 1.
  parameter int unsigned Mh = 64,
  // Inputs of a beat, >= 1; divides Mw.
  parameter int unsigned Simd = 64,
  // Neurons computed at a time, >= 1; divides Mh.
  parameter int unsigned Pe = 16,
  // Windows computed at a time, >= 1.
  parameter int unsigned Windows = 1,
  // Bits of an input, >= 1.
  parameter int unsigned InputWidth = 1,
  // Bits of the two's complement accumulator and start value, >= 2.
  parameter int unsigned AccWidth = 8,
  // 1: a neuron gives one bit, accumulator >= 0; 0: it gives its accumulator.
  parameter bit Thresholded = 1'b1,
  // Bits of a result if not Thresholded, >= 1: low bits of the accumulator, or sign-extended.
  parameter int unsigned OutputWidth = 8,
  // $readmemh file, relative to the working directory: Nf words, start value of neuron nf*Pe + p at
  // bits p*AccWidth and up.
  parameter string StartFile = "starts.mem",
  // Bits of one of the array's rows, >= 1, and cycles from a beat to its count, >= 1.
  parameter int unsigned RowWidth = 6,
  parameter int unsigned CountLatency = 2,
  // Results that wait to be taken, at least; 0: those that the pipeline needs. Memory as that of
  // xnorflow_fifo.
  parameter int unsigned OutputDepth = 0,
  parameter string OutputStyle = "auto",
  // Whether to use LUT6_2 and CARRY4 of a Xilinx chip.
  parameter bit Primitives = 1'b0,
  // Follows: results of a beat, bits of a beat, of a result, and of the number of a weight word.
  localparam int unsigned Lanes     = Windows * Pe,
  localparam int unsigned BeatWidth = Windows * Simd * InputWidth,
  localparam int unsigned LaneWidth = Thresholded ? 1 : OutputWidth,
  localparam int unsigned Words     = (Simd > 0 && Pe > 0) ? (Mw / Simd) * (Mh / Pe) : 1,
  localparam int unsigned WordWidth = (Words > 1) ? $clog2(Words) : 1
) (
  input  wire logic                       clk_i,
  input  wire logic                       rst_ni,
  // Inputs: element sf*Simd + s of window m at bits (m*Simd + s)*InputWidth and up
  input  wire logic [BeatWidth-1:0]       data_i,
  input  wire logic                       valid_i,
  output logic                            ready_o,
  // Array: the counts of window m and neuron nf*Pe + p in place m*Pe + p
  output logic      [WordWidth-1:0]       word_o,
  output logic      [BeatWidth-1:0]       beat_o,
  input  wire logic [Lanes*RowWidth-1:0]  row_a_i,
  input  wire logic [Lanes*RowWidth-1:0]  row_b_i,
  input  wire logic [Lanes-1:0]           odd_i,
  // Results: that of window m and neuron nf*Pe + p at bits (m*Pe + p)*LaneWidth and up
  output logic      [Lanes*LaneWidth-1:0] data_o,
  output logic                            valid_o,
  input  wire logic                       ready_i
);

  if (Mw < 1 || Mh < 1 || Simd < 1 || Pe < 1) begin : gen_check_positive
    $error("xnorflow_xnor_unit: Mw, Mh, Simd and Pe must be at least 1");
  end else begin : gen_check_folding
    if (Mw % Simd != 0) begin : gen_check_simd
      $error("xnorflow_xnor_unit: Simd must divide Mw");
    end
    if (Mh % Pe != 0) begin : gen_check_pe
      $error("xnorflow_xnor_unit: Pe must divide Mh");
    end
  end
  if (Windows < 1) begin : gen_check_windows
    $error("xnorflow_xnor_unit: Windows must be at least 1");
  end
  if (InputWidth < 1) begin : gen_check_input_width
    $error("xnorflow_xnor_unit: InputWidth must be at least 1");
  end
  if (AccWidth < 2) begin : gen_check_acc_width
    $error("xnorflow_xnor_unit: AccWidth must be at least 2");
  end
  if (!Thresholded && OutputWidth < 1) begin : gen_check_output_width
    $error("xnorflow_xnor_unit: OutputWidth must be at least 1");
  end
  if (StartFile == "") begin : gen_check_file
    $error("xnorflow_xnor_unit: StartFile must be named");
  end
  if (RowWidth < 1 || CountLatency < 1) begin : gen_check_array
    $error("xnorflow_xnor_unit: RowWidth and CountLatency must be at least 1");
  end

  // At least 1, so that the checks above are what a wrong folding is told by.
  localparam int unsigned Sf       = (Simd > 0 && Mw > Simd) ? Mw / Simd : 1;
  localparam int unsigned Nf       = (Pe > 0 && Mh > Pe) ? Mh / Pe : 1;
  localparam int unsigned SfWidth  = (Sf > 1) ? $clog2(Sf) : 1;

  // From the issue of a beat to the accumulator's input.
  localparam int unsigned AccStage = 2 + CountLatency;

  //// Issue: one fold step a cycle; which step is where in the pipeline; results ////
  logic                       issue, first_nf;
  logic [SfWidth-1:0]         sf;
  logic [AccStage-1:0]        step_valid, step_last;
  logic [Lanes*LaneWidth-1:0] result;

  xnorflow_fold_pipeline #(
    .Sf         (Sf),
    .Nf         (Nf),
    .Stages     (AccStage),
    .Width      (Lanes * LaneWidth),
    .OutputDepth(OutputDepth),
    .OutputStyle(OutputStyle)
  ) u_pipeline (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .valid_i     (valid_i),
    .ready_o     (ready_o),
    .issue_o     (issue),
    .sf_o        (sf),
    .word_o      (word_o),
    .first_nf_o  (first_nf),
    .step_valid_o(step_valid),
    .step_last_o (step_last),
    .result_i    (result),
    .data_o      (data_o),
    .valid_o     (valid_o),
    .ready_i     (ready_i)
  );

  //// Input buffer: written in the first neuron fold, read one cycle later in all of them ////
  xnorflow_beat_buffer #(
    .Sf   (Sf),
    .Nf   (Nf),
    .Width(BeatWidth)
  ) u_buffer (
    .clk_i  (clk_i),
    .sf_i   (sf),
    .write_i(issue & first_nf),
    .data_i (data_i),
    .beat_o (beat_o)
  );

  //// The step at the accumulators, which the reset clears ////
  logic acc_valid_q, acc_last_q;
  logic reset_q;  // the start value comes a cycle behind the reset

  always_ff @(posedge clk_i) begin
    reset_q     <= ~rst_ni;
    acc_valid_q <= step_valid[AccStage-2] | reset_q | ~rst_ni;
    acc_last_q  <= (step_valid[AccStage-2] & step_last[AccStage-2]) | reset_q | ~rst_ni;
  end

  //// Start values: own neuron fold counter, a stage before the accumulator or a last step ////
  // The accumulators load the start value behind a last step, or take it in a first one.
  localparam bit          Loaded     = !Primitives && Sf > 1;
  localparam int unsigned StartStage = Loaded ? AccStage - 3 : AccStage - 2;
  logic [Pe*AccWidth-1:0] start;
  logic                   start_first;  // the step there is the first of a neuron fold

  xnorflow_start_values #(
    .Nf   (Nf),
    .Width(Pe * AccWidth),
    .File (StartFile)
  ) u_starts (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .next_i  (step_valid[StartStage] & step_last[StartStage]),
    .enable_i(start_first),
    .start_o (start)
  );

  if (Sf > 1 && !Loaded) begin : gen_first
    logic first_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni)                     first_q <= 1'b1;
      else if (step_valid[StartStage]) first_q <= step_last[StartStage];
    end
    assign start_first = first_q;
  end else begin : gen_always_first
    assign start_first = 1'b1;
  end

  //// Accumulators: cleared by the reset and behind each last step ////
  for (genvar p = 0; p < Lanes; p++) begin : gen_neuron
    logic [AccWidth-1:0] sum;

    xnorflow_row_accumulator #(
      .AccWidth  (AccWidth),
      .RowWidth  (RowWidth),
      .OneStep   (Sf == 1),
      .Primitives(Primitives)
    ) u_accumulator (
      .clk_i  (clk_i),
      .valid_i(acc_valid_q),
      .last_i (acc_last_q),
      .row_a_i(row_a_i[p*RowWidth +: RowWidth]),
      .row_b_i(row_b_i[p*RowWidth +: RowWidth]),
      .odd_i  (odd_i[p]),
      .start_i(start[p%Pe*AccWidth +: AccWidth]),
      .sum_o  (sum)
    );

    xnorflow_sum_result #(
      .AccWidth   (AccWidth),
      .Thresholded(Thresholded),
      .OutputWidth(OutputWidth)
    ) u_result (
      .sum_i   (sum),
      .result_o(result[p*LaneWidth +: LaneWidth])
    );
  end

endmodule

`default_nettype wire
