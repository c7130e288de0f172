// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// An integer function of one integer, another one for each channel: what normalization, activation
// and rounding between two layers come to. Follows the stream rules.
//
//   Mode           y for input x of channel c                              described in
//   "thresholds"   Base + number of thresholds of c that x reaches         ..._thresholds.sv
//   "affine"       clip((a_c * x + b_c) >>> Shift), one or two pieces      ..._affine.sv
//   "table"        table_c[x]                                              ..._table.sv
//
// Why this structure: the three functions are pipelines of a fixed latency without handshake or
// enable; this module puts one of them between the streams. A beat starts when the output buffer
// has handed out a credit for its result, so ready_o is a register. Beat f of a pixel (fold f)
// holds channels f*Pe to f*Pe + Pe-1 and takes word f of the parameters.
//
// Latency: 2 cycles + that of the function: 6 for "thresholds" with up to 32 steps (5 with one),
// 7 for "affine" (8 with two slopes), 4 for "table".
// Interval: exactly Channels / Pe cycles a pixel while beats are offered and results are taken.
// Cost: that of the function and of a xnorflow_credit_fifo of 5 to 17 results. 64 channels, Pe 16,
// 8 bits: one threshold: 117 LUT + 3 RAM32M, 337 FF; affine, Shift 8: 133 LUT + 22 RAM32M, 307 FF,
// 16 DSP48E1; table: 21 LUT + 22 RAM32M, 272 FF, 8 RAMB18 (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_requantize #(
  // Channels of a pixel, >= 1.
  parameter int unsigned Channels = 64,
  // Channels of a beat, >= 1; divides Channels.
  parameter int unsigned Pe = 16,
  // Bits of a two's complement input, >= 2; "table": 1 to 16.
  parameter int unsigned InWidth = 8,
  // Bits of a result, >= 1; "affine": >= 2. 1: a bit that stands for -1 and +1; more: two's
  // complement, or unsigned where thresholds count from Base >= 0 beyond its range.
  parameter int unsigned OutWidth = 8,
  // "thresholds", "affine" or "table".
  parameter string Mode = "table",
  // "thresholds": thresholds of a channel, the value below all of them, and whether each channel
  // says by a bit that its function falls; ranges stand in xnorflow_requantize_thresholds.
  parameter int unsigned Steps = 1,
  parameter int Base = 0,
  parameter bit Falling = 1'b0,
  // "affine": bits of a and b, the shift, and 1 or 2 pieces; see xnorflow_requantize_affine.
  parameter int unsigned FactorWidth = 8,
  parameter int unsigned OffsetWidth = 16,
  parameter int unsigned Shift = 0,
  parameter int unsigned Slopes = 1,
  // "thresholds" and "affine": $readmemh file, relative to the working directory, a word a fold.
  parameter string ParameterFile = "parameters.mem",
  // "table": what the $readmemh files are called: <TableFiles>_0.mem for lanes 0 and 1, ...
  parameter string TableFiles = "table",
  // Memory for the parameters: "auto" (up to the tool), "block" (block RAM) or "logic" (LUTs).
  parameter string RomStyle = "auto",
  // Results that wait to be taken, at least; 0: those that the pipeline needs. Memory as that of
  // xnorflow_fifo.
  parameter int unsigned OutputDepth = 0,
  parameter string OutputStyle = "auto"
) (
  input  wire logic                   clk_i,
  input  wire logic                   rst_ni,
  // Stream in: channel f*Pe + p at bits p*InWidth and up
  input  wire logic [Pe*InWidth-1:0]  data_i,
  input  wire logic                   valid_i,
  output logic                        ready_o,
  // Stream out: channel f*Pe + p at bits p*OutWidth and up
  output logic      [Pe*OutWidth-1:0] data_o,
  output logic                        valid_o,
  input  wire logic                   ready_i
);

  if (Channels < 1 || Pe < 1) begin : gen_check_positive
    $error("xnorflow_requantize: Channels and Pe must be at least 1");
  end else if (Channels % Pe != 0) begin : gen_check_pe
    $error("xnorflow_requantize: Pe must divide Channels");
  end
  if (Mode != "thresholds" && Mode != "affine" && Mode != "table") begin : gen_check_mode
    $error("xnorflow_requantize: Mode must be thresholds, affine or table");
  end

  // At least 1, so that the checks above are what a wrong folding is told by.
  localparam int unsigned Folds     = (Pe > 0 && Channels > Pe) ? Channels / Pe : 1;
  localparam int unsigned FoldWidth = (Folds > 1) ? $clog2(Folds) : 1;
  localparam logic [FoldWidth-1:0] LastFold = FoldWidth'(Folds - 1);

  // Cycles of the functions, see there.
  localparam int unsigned CountLatency     = 1 + ($clog2((Steps + 31) / 32) + 1) / 2;
  localparam int unsigned ThresholdLatency = (Steps > 1) ? 3 + CountLatency : 3;
  localparam int unsigned AffineLatency    = 4 + Slopes;
  localparam int unsigned Latency = (Mode == "thresholds") ? ThresholdLatency
                                  : (Mode == "affine")     ? AffineLatency : 2;
  // Results in flight at full rate and one that is being handed out; memory of 2**n words.
  localparam int unsigned Needed = 2 ** $clog2(Latency + 2) + 1;
  localparam int unsigned Places = (OutputDepth > Needed) ? OutputDepth : Needed;

  //// Issue: one fold a cycle ////
  logic                   issue, credit;
  logic [FoldWidth-1:0]   fold_d, fold_q;
  logic [Latency-1:0]     valid_q;
  logic [Pe*OutWidth-1:0] result;

  assign issue   = valid_i & credit;
  assign ready_o = credit;

  always_comb begin
    fold_d = fold_q;
    if (issue) fold_d = (fold_q == LastFold) ? '0 : fold_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fold_q  <= '0;
      valid_q <= '0;
    end else begin
      fold_q  <= fold_d;
      valid_q <= {valid_q[Latency-2:0], issue};
    end
  end

  //// Function ////
  if (Mode == "thresholds") begin : gen_thresholds
    xnorflow_requantize_thresholds #(
      .Folds        (Folds),
      .Pe           (Pe),
      .InWidth      (InWidth),
      .OutWidth     (OutWidth),
      .Steps        (Steps),
      .Base         (Base),
      .Falling      (Falling),
      .ParameterFile(ParameterFile),
      .RomStyle     (RomStyle)
    ) u_thresholds (
      .clk_i (clk_i),
      .fold_i(fold_q),
      .data_i(data_i),
      .data_o(result)
    );
  end else if (Mode == "affine") begin : gen_affine
    xnorflow_requantize_affine #(
      .Folds        (Folds),
      .Pe           (Pe),
      .InWidth      (InWidth),
      .OutWidth     (OutWidth),
      .FactorWidth  (FactorWidth),
      .OffsetWidth  (OffsetWidth),
      .Shift        (Shift),
      .Slopes       (Slopes),
      .ParameterFile(ParameterFile),
      .RomStyle     (RomStyle)
    ) u_affine (
      .clk_i (clk_i),
      .fold_i(fold_q),
      .data_i(data_i),
      .data_o(result)
    );
  end else begin : gen_table
    xnorflow_requantize_table #(
      .Folds     (Folds),
      .Pe        (Pe),
      .InWidth   (InWidth),
      .OutWidth  (OutWidth),
      .TableFiles(TableFiles),
      .RomStyle  (RomStyle)
    ) u_table (
      .clk_i (clk_i),
      .fold_i(fold_q),
      .data_i(data_i),
      .data_o(result)
    );
  end

  xnorflow_credit_fifo #(
    .Width      (Pe * OutWidth),
    .Depth      (Places),
    .MemoryStyle(OutputStyle)
  ) u_output (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .credit_o(credit),
    .take_i  (issue),
    .data_i  (result),
    .valid_i (valid_q[Latency-1]),
    .data_o  (data_o),
    .valid_o (valid_o),
    .ready_i (ready_i)
  );

endmodule

`default_nettype wire
