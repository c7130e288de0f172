// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Matrix-vector unit with weights of +-1 and inputs of several bits on multipliers, and optional
// thresholds; follows the stream rules.
//
// Why this structure: two neurons share a multiplier of an FPGA, which accumulates as well, see
// xnorflow_dsp_pair. Accumulators start from minus the threshold, so that one bit of the sum is
// the neuron's output. The pipeline runs freely; results are guarded by credits.
//
// A frame is Sf = Mw / Simd beats in and Nf = Mh / Pe beats out. Fold step (nf, sf), sf fastest,
// takes input beat sf and weight word nf * Sf + sf. Beats are read from the stream during the
// first Sf steps of a frame, all of them through the buffer.
//
//   weight word of file s:  bit p              weight of input sf*Simd + s for neuron nf*Pe + p,
//                                              1 = -1, 0 = +1
//   start word:             bits p*AccWidth    what neuron nf*Pe + p accumulates from, plus
//                           and up             2**(AccWidth-1), not negative
//   acc = start + sum_s x * w                  which has to fit into AccWidth bits
//
// Interval: exactly Sf * Nf cycles a frame while beats are offered and results are taken.
// Latency: 5 + C cycles from the last beat of a frame's first neuron fold to its result, C being 1
// where Simd is 1, Simd where Sf is 1, else Simd + 1.
// Cost: 27 x 64, inputs of 8 bits: Simd 1, Pe 64: 108 LUT, 95 FF, 32 DSP48E1, 1 RAMB36 (WeightStyle
// "block"), or 210 LUT, 157 FF, 32 DSP48E1 ("logic"); Simd 3, Pe 16: 321 LUT, 337 FF, 24 DSP48E1,
// 3 RAMB18 ("block"; yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_dsp_unit #(
  // Inputs of a frame (columns), >= 1.
  parameter int unsigned Mw = 27,
  // Neurons (rows), >= 1.
  parameter int unsigned Mh = 64,
  // Inputs of a beat, >= 1; divides Mw.
  parameter int unsigned Simd = 1,
  // Neurons computed at a time, >= 1; divides Mh.
  parameter int unsigned Pe = 64,
  // Bits of a two's complement input, 2 to 18.
  parameter int unsigned InputWidth = 8,
  // Bits of the two's complement accumulator and start value, 2 to 23.
  parameter int unsigned AccWidth = 14,
  // 1: a neuron gives one bit, accumulator >= 0; 0: it gives its accumulator.
  parameter bit Thresholded = 1'b1,
  // Bits of a result if not Thresholded, >= 1: low bits of the accumulator, or sign-extended.
  parameter int unsigned OutputWidth = 8,
  // $readmemh files, relative to the working directory: Nf * Sf weight words each in
  // <WeightFiles>_0.mem to <WeightFiles>_<Simd-1>.mem, Nf start words in StartFile.
  parameter string WeightFiles = "weights",
  parameter string StartFile = "starts.mem",
  // Memory for the weights: "auto" (up to the tool), "block" (block RAM) or "logic" (LUTs).
  parameter string WeightStyle = "auto",
  // Results that wait to be taken, at least; 0: those that the pipeline needs. Memory as that of
  // xnorflow_fifo.
  parameter int unsigned OutputDepth = 0,
  parameter string OutputStyle = "auto",
  // Follows: bits of a beat, and of a neuron's result.
  localparam int unsigned BeatWidth = Simd * InputWidth,
  localparam int unsigned LaneWidth = Thresholded ? 1 : OutputWidth
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,
  // Inputs: element sf*Simd + s at bits s*InputWidth and up
  input  wire logic [BeatWidth-1:0]    data_i,
  input  wire logic                    valid_i,
  output logic                         ready_o,
  // Results: neuron nf*Pe + p at bits p*LaneWidth and up
  output logic      [Pe*LaneWidth-1:0] data_o,
  output logic                         valid_o,
  input  wire logic                    ready_i
);

  if (Mw < 1 || Mh < 1 || Simd < 1 || Pe < 1) begin : gen_check_positive
    $error("xnorflow_dsp_unit: Mw, Mh, Simd and Pe must be at least 1");
  end else begin : gen_check_folding
    if (Mw % Simd != 0) begin : gen_check_simd
      $error("xnorflow_dsp_unit: Simd must divide Mw");
    end
    if (Mh % Pe != 0) begin : gen_check_pe
      $error("xnorflow_dsp_unit: Pe must divide Mh");
    end
  end
  if (InputWidth < 2 || InputWidth > 18) begin : gen_check_input_width
    $error("xnorflow_dsp_unit: InputWidth must be 2 to 18");
  end
  if (AccWidth < 2 || AccWidth > 23) begin : gen_check_acc_width
    $error("xnorflow_dsp_unit: AccWidth must be 2 to 23");
  end
  if (!Thresholded && OutputWidth < 1) begin : gen_check_output_width
    $error("xnorflow_dsp_unit: OutputWidth must be at least 1");
  end
  if (WeightFiles == "" || StartFile == "") begin : gen_check_files
    $error("xnorflow_dsp_unit: WeightFiles and StartFile must be named");
  end
  if (WeightStyle != "auto" && WeightStyle != "block" && WeightStyle != "logic")
  begin : gen_check_style
    $error("xnorflow_dsp_unit: WeightStyle must be auto, block or logic");
  end

  // At least 1, so that the checks above are what a wrong folding is told by.
  localparam int unsigned Sf        = (Simd > 0 && Mw > Simd) ? Mw / Simd : 1;
  localparam int unsigned Nf        = (Pe > 0 && Mh > Pe) ? Mh / Pe : 1;
  localparam int unsigned Words     = Sf * Nf;
  localparam int unsigned SfWidth   = (Sf > 1) ? $clog2(Sf) : 1;
  localparam int unsigned WordWidth = (Words > 1) ? $clog2(Words) : 1;

  // Whether sums of beats are added up behind the multipliers.
  localparam bit Behind = Simd > 1 && Sf > 1;
  // From the issue of a beat to the last sum's input.
  localparam int unsigned AccStage = (Simd == 1) ? 3 : Behind ? Simd + 3 : Simd + 2;
  // To where the start value is taken.
  localparam int unsigned StartStage = Behind ? AccStage : 3;

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

  //// Input buffer: written in the first neuron fold, read one cycle later in all of them ////
  logic [BeatWidth-1:0] beat;

  xnorflow_beat_buffer #(
    .Sf            (Sf),
    .Nf            (Nf),
    .Width         (BeatWidth),
    .OutputRegister(1'b0)
  ) u_buffer (
    .clk_i  (clk_i),
    .sf_i   (sf),
    .write_i(issue & first_nf),
    .data_i (data_i),
    .beat_o (beat)
  );

  //// Inputs and weights, each s cycles later than those of input 0 ////
  logic [BeatWidth-1:0] skewed;
  logic [Pe*Simd-1:0]   negative;  // input s, neuron p at bit s*Pe + p

  for (genvar s = 0; s < Simd; s++) begin : gen_input
    (* rom_style = WeightStyle *) logic [Pe-1:0] weights [Words];
    logic [Pe-1:0]        read_q;
    logic [WordWidth-1:0] address;

    initial $readmemh($sformatf("%s_%0d.mem", WeightFiles, s), weights);

    always_ff @(posedge clk_i) read_q <= weights[address];
    assign negative[s*Pe +: Pe] = read_q;

    if (s == 0) begin : gen_now
      assign address                = word;
      assign skewed[InputWidth-1:0] = beat[InputWidth-1:0];
    end else begin : gen_later
      logic [WordWidth-1:0]           address_q;
      logic [s-1:0][InputWidth-1:0]   delay_q;
      always_ff @(posedge clk_i) begin
        address_q  <= gen_input[s-1].address;
        delay_q[0] <= beat[s*InputWidth +: InputWidth];
        for (int unsigned d = 1; d < s; d++) delay_q[d] <= delay_q[d-1];
      end
      assign address                              = address_q;
      assign skewed[s*InputWidth +: InputWidth] = delay_q[s-1];
    end
  end

  //// The step where start values are taken ////
  logic start_valid, start_last, start_first;

  assign start_valid = step_valid[StartStage-1];
  assign start_last  = step_last[StartStage-1];

  if (Sf > 1) begin : gen_first
    logic first_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni)          first_q <= 1'b1;
      else if (start_valid) first_q <= start_last;
    end
    assign start_first = first_q;
  end else begin : gen_always_first
    assign start_first = 1'b1;
    logic unused_last;
    assign unused_last = start_last;
  end

  //// Start values: one stage before they are taken ////
  logic [Pe*AccWidth-1:0] start;

  xnorflow_start_values #(
    .Nf   (Nf),
    .Width(Pe * AccWidth),
    .File (StartFile)
  ) u_starts (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .next_i  (step_valid[StartStage-2] & step_last[StartStage-2]),
    .enable_i(1'b1),
    .start_o (start)
  );

  //// Neurons, two by two ////
  logic [Pe*AccWidth-1:0] sums;

  for (genvar p = 0; p < Pe; p += 2) begin : gen_pair
    localparam int unsigned Neurons = (p + 1 < Pe) ? 2 : 1;
    logic [Simd*Neurons-1:0] weight;

    for (genvar s = 0; s < Simd; s++) begin : gen_weight
      assign weight[s*Neurons +: Neurons] = negative[s*Pe+p +: Neurons];
    end

    xnorflow_dsp_pair #(
      .Terms   (Simd),
      .Width   (InputWidth),
      .Neurons (Neurons),
      .AccWidth(AccWidth),
      .OneStep (Sf == 1)
    ) u_pair (
      .clk_i     (clk_i),
      .data_i    (skewed),
      .negative_i(weight),
      .valid_i   (step_valid[Simd-1:0]),
      .enable_i  (start_valid),
      .first_i   (start_first),
      .start_i   (start[p*AccWidth +: Neurons*AccWidth]),
      .sum_o     (sums[p*AccWidth +: Neurons*AccWidth])
    );
  end

  for (genvar p = 0; p < Pe; p++) begin : gen_result
    logic [AccWidth-1:0] sum;
    assign sum = sums[p*AccWidth +: AccWidth];

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
