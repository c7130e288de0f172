// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Step functions, one a channel: y = Base + number of the channel's thresholds that x reaches.
// A part of xnorflow_requantize: no handshake.
//
// Why this structure: comparators side by side need no order among the thresholds and no second
// look at them, and cost least for the few steps of one or two bits; what takes many steps is
// smaller in the affine or the table mode. Thresholds have a bit more than x, so that one can be
// beyond every x. A falling function (a negative scale) counts the thresholds that x is below.
//
//   parameter word f, for channels f*Pe + p:
//   bits (p*Steps + i) * (InWidth+1) and up    threshold i of lane p, two's complement
//   bit  Pe*Steps*(InWidth+1) + p              if Falling: 1: lane p counts x < threshold instead
//                                              of x >= threshold
//
// Latency: 3 cycles with one step, else 3 + that of xnorflow_xnor_popcount: 4 up to 32 steps.
// Interval: 1 cycle; no handshake.
// Cost: 64 channels, Pe 16, 8 bits, random parameters, in LUTs: 98 LUT, 300 FF for one step; 315
// LUT, 364 FF for 3 (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_requantize_thresholds #(
  // Parameter words, i.e. beats of a pixel, >= 1.
  parameter int unsigned Folds = 4,
  // Elements of a beat, >= 1.
  parameter int unsigned Pe = 16,
  // Bits of a two's complement input, >= 2.
  parameter int unsigned InWidth = 8,
  // Bits of a result, >= 1; 1: a bit that stands for -1 and +1.
  parameter int unsigned OutWidth = 1,
  // Thresholds of a channel, 1 to 2**OutWidth - 1.
  parameter int unsigned Steps = 1,
  // Value below all thresholds. Base to Base + Steps must fit into OutWidth bits: two's complement
  // if Base is negative, else unsigned. 0 where OutWidth is 1.
  parameter int Base = 0,
  // Whether each channel has a bit that says whether its function falls.
  parameter bit Falling = 1'b0,
  // $readmemh file, relative to the working directory: Folds words.
  parameter string ParameterFile = "parameters.mem",
  // Memory for the parameters: "auto", "block" or "logic".
  parameter string RomStyle = "auto",
  // Follows: bits of the fold's number.
  localparam int unsigned FoldWidth = (Folds > 1) ? $clog2(Folds) : 1
) (
  input  wire logic                   clk_i,
  // Beat of the pixel that data_i is
  input  wire logic [FoldWidth-1:0]   fold_i,
  // Element p at bits p*InWidth and up
  input  wire logic [Pe*InWidth-1:0]  data_i,
  // Element p at bits p*OutWidth and up
  output logic      [Pe*OutWidth-1:0] data_o
);

  if (Folds < 1 || Pe < 1) begin : gen_check_positive
    $error("xnorflow_requantize_thresholds: Folds and Pe must be at least 1");
  end
  if (InWidth < 2) begin : gen_check_in_width
    $error("xnorflow_requantize_thresholds: InWidth must be at least 2");
  end
  if (OutWidth < 1 || OutWidth > 30) begin : gen_check_out_width
    $error("xnorflow_requantize_thresholds: OutWidth must be 1 to 30");
  end else if (Steps < 1 || Steps > 2 ** OutWidth - 1) begin : gen_check_steps
    $error("xnorflow_requantize_thresholds: Steps must be 1 to 2**OutWidth - 1");
  end else if (OutWidth == 1 && Base != 0) begin : gen_check_bit
    $error("xnorflow_requantize_thresholds: Base must be 0 where OutWidth is 1");
  end else if (Base < -(2 ** (OutWidth - 1))
               || Base + int'(Steps) >= 2 ** ((Base < 0) ? OutWidth - 1 : OutWidth))
  begin : gen_check_base
    $error("xnorflow_requantize_thresholds: Base to Base + Steps must fit into OutWidth bits");
  end
  if (ParameterFile == "") begin : gen_check_file
    $error("xnorflow_requantize_thresholds: ParameterFile must be named");
  end
  if (RomStyle != "auto" && RomStyle != "block" && RomStyle != "logic") begin : gen_check_style
    $error("xnorflow_requantize_thresholds: RomStyle must be auto, block or logic");
  end

  localparam int unsigned ThresholdWidth = InWidth + 1;
  localparam int unsigned WordWidth      = Pe * (Steps * ThresholdWidth + Falling);

  //// Parameters and inputs: two stages, so that the memory may be block RAM with its register ////
  (* rom_style = RomStyle *) logic [WordWidth-1:0] words [Folds];
  logic [WordWidth-1:0]  word_q, word_q2;
  logic [Pe*InWidth-1:0] data_q, data_q2;

  initial $readmemh(ParameterFile, words);

  always_ff @(posedge clk_i) begin
    word_q  <= words[fold_i];
    word_q2 <= word_q;
    data_q  <= data_i;
    data_q2 <= data_q;
  end

  //// Lanes ////
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    localparam int unsigned CountWidth = $clog2(Steps + 1);
    logic                      falls;
    logic signed [InWidth-1:0] x;
    logic [Steps-1:0]          reached_d, reached_q;
    logic [CountWidth-1:0]     count;

    assign x = data_q2[p*InWidth +: InWidth];
    if (Falling) begin : gen_falling
      assign falls = word_q2[Pe*Steps*ThresholdWidth + p];
    end else begin : gen_rising
      assign falls = 1'b0;
    end

    for (genvar i = 0; i < Steps; i++) begin : gen_step
      logic signed [ThresholdWidth-1:0] threshold;
      assign threshold    = word_q2[(p*Steps + i)*ThresholdWidth +: ThresholdWidth];
      assign reached_d[i] = (ThresholdWidth'(x) >= threshold) ^ falls;
    end

    always_ff @(posedge clk_i) reached_q <= reached_d;

    if (Steps > 1) begin : gen_count
      xnorflow_xnor_popcount #(
        .Width(Steps)
      ) u_count (
        .clk_i   (clk_i),
        .data_i  (reached_q),
        .weight_i('1),
        .count_o (count)
      );
    end else begin : gen_one
      assign count = CountWidth'(reached_q);
    end

    assign data_o[p*OutWidth +: OutWidth] = OutWidth'(Base) + OutWidth'(count);
  end

endmodule

`default_nettype wire
