// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Matrix-vector unit with weights of +-1, or of a few bits, and optional thresholds; follows the
// stream rules.
//
// Why this structure: accumulators start from a stored value instead of zero, which is minus the
// threshold (so the sign bit is the neuron's output, without a comparator) plus the constant
// that turns popcounts or one's complements into dot products. The pipeline runs freely, without
// an enable whose fan-out would limit the clock; results are guarded by credits and collected in
// a small FIFO.
//
// A frame is Sf = Mw / Simd beats in and Nf = Mh / Pe beats out. Fold step (nf, sf), sf fastest,
// takes input beat sf and weight word nf * Sf + sf. Beats are read from the stream during the
// first Sf steps of a frame and from a buffer afterwards.
//
//   weight word:  bit p*Simd + s               weight of input sf*Simd + s for neuron nf*Pe + p,
//                                              1 = +1, 0 = -1
//   WeightWidth >= 2:  bits (p*Simd + s)*WeightWidth and up, two's complement
//   start word:   bits p*AccWidth and up       what neuron nf*Pe + p accumulates from
//   InputWidth = 1:   acc = start + sum_s popcount(x XNOR w)
//   InputWidth >= 2:  acc = start + sum_s (w ? x : ~x)
//   WeightWidth >= 2:  acc = start + sum_s x * w
//
// Sums are taken modulo 2**AccWidth: only the final value has to fit.
//
// Interval: exactly Sf * Nf cycles a frame while beats are offered and results are taken.
// Latency: 5 + C cycles from the last beat of a frame's first neuron fold to its result, C being
// that of xnorflow_xnor_popcount, xnorflow_sign_sum or xnorflow_product_sum: e.g. 7 for 64 binary
// inputs a beat.
// Cost: 1,024 x 64, Simd 64, Pe 16, bipolar: 2,440 LUT, 1,779 FF, 29 RAMB18 (WeightStyle
// "block"); 27 x 8, Simd 9, Pe 4, inputs of 8 bits, weights of 2: 1,181 LUT + 20 RAM32M, 838 FF
// (WeightStyle "logic"; yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_mvau #(
  // Inputs of a frame (columns), >= 1.
  parameter int unsigned Mw = 64,
  // Neurons (rows), >= 1.
  parameter int unsigned Mh = 64,
  // Inputs of a beat, >= 1; divides Mw.
  parameter int unsigned Simd = 64,
  // Neurons computed at a time, >= 1; divides Mh.
  parameter int unsigned Pe = 16,
  // Bits of an input, >= 1; 1: bits that stand for -1 and +1; more: two's complement.
  parameter int unsigned InputWidth = 1,
  // Bits of a weight, >= 1; 1: bits that stand for -1 and +1; more: two's complement, which needs
  // an InputWidth of at least 2.
  parameter int unsigned WeightWidth = 1,
  // Bits of the two's complement accumulator and start value, >= 2.
  parameter int unsigned AccWidth = 8,
  // 1: a neuron gives one bit, accumulator >= 0; 0: it gives its accumulator.
  parameter bit Thresholded = 1'b1,
  // Bits of a result if not Thresholded, >= 1: low bits of the accumulator, or sign-extended.
  parameter int unsigned OutputWidth = 8,
  // $readmemh files, relative to the working directory: Nf * Sf weight words, Nf start words.
  parameter string WeightFile = "weights.mem",
  parameter string StartFile = "starts.mem",
  // Memory for the weights: "auto" (up to the tool), "block" (block RAM) or "logic" (LUTs, worth it
  // for a few words only).
  parameter string WeightStyle = "auto",
  // Results that wait to be taken, at least; 0: those that the pipeline needs. Memory as that of
  // xnorflow_fifo.
  parameter int unsigned OutputDepth = 0,
  parameter string OutputStyle = "auto",
  // Follows: bits of a neuron's result.
  localparam int unsigned LaneWidth = Thresholded ? 1 : OutputWidth
) (
  input  wire logic                       clk_i,
  input  wire logic                       rst_ni,
  // Inputs: element sf*Simd + s at bits s*InputWidth and up
  input  wire logic [Simd*InputWidth-1:0] data_i,
  input  wire logic                       valid_i,
  output logic                            ready_o,
  // Results: neuron nf*Pe + p at bits p*LaneWidth and up
  output logic      [Pe*LaneWidth-1:0]    data_o,
  output logic                            valid_o,
  input  wire logic                       ready_i
);

  if (Mw < 1 || Mh < 1 || Simd < 1 || Pe < 1) begin : gen_check_positive
    $error("xnorflow_mvau: Mw, Mh, Simd and Pe must be at least 1");
  end else begin : gen_check_folding
    if (Mw % Simd != 0) begin : gen_check_simd
      $error("xnorflow_mvau: Simd must divide Mw");
    end
    if (Mh % Pe != 0) begin : gen_check_pe
      $error("xnorflow_mvau: Pe must divide Mh");
    end
  end
  if (InputWidth < 1) begin : gen_check_input_width
    $error("xnorflow_mvau: InputWidth must be at least 1");
  end
  if (WeightWidth < 1 || (WeightWidth > 1 && InputWidth < 2)) begin : gen_check_weight_width
    $error("xnorflow_mvau: WeightWidth must be 1, or more with an InputWidth of at least 2");
  end
  if (AccWidth < 2) begin : gen_check_acc_width
    $error("xnorflow_mvau: AccWidth must be at least 2");
  end
  if (!Thresholded && OutputWidth < 1) begin : gen_check_output_width
    $error("xnorflow_mvau: OutputWidth must be at least 1");
  end
  if (WeightFile == "" || StartFile == "") begin : gen_check_files
    $error("xnorflow_mvau: WeightFile and StartFile must be named");
  end
  if (WeightStyle != "auto" && WeightStyle != "block" && WeightStyle != "logic")
  begin : gen_check_style
    $error("xnorflow_mvau: WeightStyle must be auto, block or logic");
  end

  // At least 1, so that the checks above are what a wrong folding is told by.
  localparam int unsigned Sf        = (Simd > 0 && Mw > Simd) ? Mw / Simd : 1;
  localparam int unsigned Nf        = (Pe > 0 && Mh > Pe) ? Mh / Pe : 1;
  localparam int unsigned Words     = Sf * Nf;
  localparam int unsigned SfWidth   = (Sf > 1) ? $clog2(Sf) : 1;
  localparam int unsigned WordWidth = (Words > 1) ? $clog2(Words) : 1;

  // Bits of the weights of a neuron's beat.
  localparam int unsigned Lane = Simd * WeightWidth;

  // Cycles of the sub-module that sums a beat, see there.
  localparam int unsigned CountLatency = 1 + ($clog2((Simd + 31) / 32) + 1) / 2;
  localparam int unsigned SignLatency  = ($clog2(Simd) + 1) / 2 + ($clog2(WeightWidth) + 1) / 2;
  localparam int unsigned SumLatency   = (InputWidth == 1) ? CountLatency : SignLatency;
  // From the issue of a beat to the accumulator's input.
  localparam int unsigned AccStage = 2 + SumLatency;

  //// Issue: one fold step a cycle; which step is where in the pipeline; results ////
  logic                    issue, first_nf;
  logic [SfWidth-1:0]      sf;
  logic [WordWidth-1:0]    word;
  logic [AccStage-1:0]     step_valid, step_last;
  logic [Pe*LaneWidth-1:0] result;

  xnorflow_fold_pipeline #(
    .Sf         (Sf),
    .Nf         (Nf),
    .Stages     (AccStage),
    .Width      (Pe * LaneWidth),
    .OutputDepth(OutputDepth),
    .OutputStyle(OutputStyle)
  ) u_pipeline (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .valid_i     (valid_i),
    .ready_o     (ready_o),
    .issue_o     (issue),
    .sf_o        (sf),
    .word_o      (word),
    .first_nf_o  (first_nf),
    .step_valid_o(step_valid),
    .step_last_o (step_last),
    .result_i    (result),
    .data_o      (data_o),
    .valid_o     (valid_o),
    .ready_i     (ready_i)
  );

  //// Input buffer and weights: two stages, so that both may be block RAM with output register ////
  logic [Simd*InputWidth-1:0] input_q;
  logic [Pe*Lane-1:0]         weight_read_q, weight_q;

  if (Nf > 1) begin : gen_buffer
    // What is read while being written is not used.
    (* no_rw_check *) logic [Simd*InputWidth-1:0] buffer [Sf];
    logic [Simd*InputWidth-1:0] buffered_q, direct_q;
    logic                       first_nf_q2;

    always_ff @(posedge clk_i) begin
      if (issue && first_nf) buffer[sf] <= data_i;
      buffered_q  <= buffer[sf];
      direct_q    <= data_i;
      first_nf_q2 <= first_nf;
      input_q     <= first_nf_q2 ? direct_q : buffered_q;
    end
  end else begin : gen_no_buffer
    logic [Simd*InputWidth-1:0] direct_q;
    logic unused_step;
    assign unused_step = ^{issue, sf, first_nf};

    always_ff @(posedge clk_i) begin
      direct_q <= data_i;
      input_q  <= direct_q;
    end
  end

  (* rom_style = WeightStyle *) logic [Pe*Lane-1:0] weights [Words];

  initial $readmemh(WeightFile, weights);

  always_ff @(posedge clk_i) begin
    weight_read_q <= weights[word];
    weight_q      <= weight_read_q;
  end

  //// The step at the accumulators ////
  logic acc_valid, acc_first, acc_last;

  assign acc_valid = step_valid[AccStage-1];
  assign acc_last  = step_last[AccStage-1];

  if (Sf > 1) begin : gen_first
    logic first_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni)        first_q <= 1'b1;
      else if (acc_valid) first_q <= acc_last;
    end
    assign acc_first = first_q;
  end else begin : gen_always_first
    assign acc_first = 1'b1;
    logic unused_last;
    assign unused_last = acc_last;
  end

  //// Start values: one stage before the accumulator ////
  logic [Pe*AccWidth-1:0] start;

  xnorflow_start_values #(
    .Nf   (Nf),
    .Width(Pe * AccWidth),
    .File (StartFile)
  ) u_starts (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .next_i  (step_valid[AccStage-2] & step_last[AccStage-2]),
    .enable_i(1'b1),
    .start_o (start)
  );

  //// Lanes ////
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic signed [AccWidth-1:0] sum, base, acc_q;

    if (InputWidth == 1) begin : gen_popcount
      localparam int unsigned SumWidth = $clog2(Simd + 1);
      logic [SumWidth-1:0] count;
      xnorflow_xnor_popcount #(
        .Width(Simd)
      ) u_popcount (
        .clk_i   (clk_i),
        .data_i  (input_q),
        .weight_i(weight_q[p*Simd +: Simd]),
        .count_o (count)
      );
      assign sum = AccWidth'(count);
      if (SumWidth > AccWidth) begin : gen_modulo
        logic unused_high;
        assign unused_high = ^count[SumWidth-1:AccWidth];
      end
    end else if (InputWidth > 1) begin : gen_signed
      localparam int unsigned SumWidth = InputWidth + $clog2(Simd)
                                       + ((WeightWidth > 1) ? WeightWidth : 0);
      logic signed [SumWidth-1:0] signed_sum;
      if (WeightWidth > 1) begin : gen_product_sum
        xnorflow_product_sum #(
          .Terms      (Simd),
          .Width      (InputWidth),
          .WeightWidth(WeightWidth)
        ) u_product_sum (
          .clk_i   (clk_i),
          .data_i  (input_q),
          .weight_i(weight_q[p*Lane +: Lane]),
          .sum_o   (signed_sum)
        );
      end else begin : gen_sign_sum
        xnorflow_sign_sum #(
          .Terms(Simd),
          .Width(InputWidth)
        ) u_sign_sum (
          .clk_i   (clk_i),
          .data_i  (input_q),
          .weight_i(weight_q[p*Simd +: Simd]),
          .sum_o   (signed_sum)
        );
      end
      assign sum = AccWidth'(signed_sum);
      if (SumWidth > AccWidth) begin : gen_modulo
        logic unused_high;
        assign unused_high = ^signed_sum[SumWidth-1:AccWidth];
      end
    end

    assign base = acc_first ? start[p*AccWidth +: AccWidth] : acc_q;

    always_ff @(posedge clk_i) begin
      if (acc_valid) acc_q <= base + sum;
    end

    if (Thresholded) begin : gen_fire
      assign result[p] = acc_q >= 0;
    end else begin : gen_value
      assign result[p*LaneWidth +: LaneWidth] = LaneWidth'(acc_q);
    end
  end

endmodule

`default_nettype wire
