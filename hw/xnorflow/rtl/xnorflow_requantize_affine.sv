// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Scale and offset, another pair for each channel, in one or two pieces:
// y = clip((a * x + b) >>> Shift). A part of xnorflow_requantize: no handshake.
//
// Why this structure: product, sum and clip have a register each, and so have the operands, as the
// multiplier of an FPGA has inside. The shift is the same for all channels, hence wires; it rounds
// down, and rounds to the nearest where b holds an added half, 2**(Shift-1). With two slopes a
// comparison chooses between two pairs before the only multiplier, e.g. for a PReLU.
//
//   parameter word f, for channels f*Pe + p: lane p at bits p*LaneBits and up, from the low end
//   Slopes = 1:   a, b                 FactorWidth and OffsetWidth bits, two's complement
//   Slopes = 2:   a, b, a2, b2, k      k: InWidth + 1 bits; x < k takes a2, b2, any other x a, b
//
// The sum is exact: it has a bit more than the wider of product and offset.
//
// Latency: 5 cycles; 6 with two slopes.
// Interval: 1 cycle; no handshake.
// Cost: 64 channels, Pe 16, 8 bits, a of 8 bits, b of 16, Shift 8: 114 LUT, 156 FF, 16 DSP48E1; two
// slopes: 490 LUT, 655 FF, 16 DSP48E1; random parameters, in LUTs (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_requantize_affine #(
  // Parameter words, i.e. beats of a pixel, >= 1.
  parameter int unsigned Folds = 4,
  // Elements of a beat, >= 1.
  parameter int unsigned Pe = 16,
  // Bits of a two's complement input, >= 2.
  parameter int unsigned InWidth = 8,
  // Bits of a two's complement result, >= 2.
  parameter int unsigned OutWidth = 8,
  // Bits of a factor and of an offset, >= 2.
  parameter int unsigned FactorWidth = 8,
  parameter int unsigned OffsetWidth = 16,
  // Bits dropped of the sum; less than it has.
  parameter int unsigned Shift = 0,
  // Pieces of the function, 1 or 2.
  parameter int unsigned Slopes = 1,
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

  localparam int unsigned ProductWidth = InWidth + FactorWidth;
  localparam int unsigned SumWidth = 1 + ((ProductWidth > OffsetWidth) ? ProductWidth
                                                                       : OffsetWidth);

  if (Folds < 1 || Pe < 1) begin : gen_check_positive
    $error("xnorflow_requantize_affine: Folds and Pe must be at least 1");
  end
  if (InWidth < 2 || OutWidth < 2 || FactorWidth < 2 || OffsetWidth < 2) begin : gen_check_width
    $error("xnorflow_requantize_affine: widths must be at least 2");
  end
  if (Shift >= SumWidth) begin : gen_check_shift
    $error("xnorflow_requantize_affine: Shift must leave a bit of the sum");
  end
  if (Slopes != 1 && Slopes != 2) begin : gen_check_slopes
    $error("xnorflow_requantize_affine: Slopes must be 1 or 2");
  end
  if (ParameterFile == "") begin : gen_check_file
    $error("xnorflow_requantize_affine: ParameterFile must be named");
  end
  if (RomStyle != "auto" && RomStyle != "block" && RomStyle != "logic") begin : gen_check_style
    $error("xnorflow_requantize_affine: RomStyle must be auto, block or logic");
  end

  localparam int unsigned PairBits  = FactorWidth + OffsetWidth;
  localparam int unsigned KneeWidth = InWidth + 1;
  localparam int unsigned LaneBits  = (Slopes == 2) ? 2 * PairBits + KneeWidth : PairBits;
  // At least 1, so that the check above is what a wrong shift is told by.
  localparam int unsigned KeptWidth = (Shift < SumWidth) ? SumWidth - Shift : 1;

  //// Parameters and inputs: two stages, so that the memory may be block RAM with its register ////
  (* rom_style = RomStyle *) logic [Pe*LaneBits-1:0] words [Folds];
  logic [Pe*LaneBits-1:0] word_q, word_q2;
  logic [Pe*InWidth-1:0]  data_q, data_q2;

  initial $readmemh(ParameterFile, words);

  always_ff @(posedge clk_i) begin
    word_q  <= words[fold_i];
    word_q2 <= word_q;
    data_q  <= data_i;
    data_q2 <= data_q;
  end

  //// Lanes ////
  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    logic [LaneBits-1:0]            lane;
    logic signed [InWidth-1:0]      x;
    logic signed [FactorWidth-1:0]  factor;
    logic signed [OffsetWidth-1:0]  offset, offset_q;
    logic signed [ProductWidth-1:0] product_q;
    logic signed [SumWidth-1:0]     sum_q;
    logic signed [KeptWidth-1:0]    kept;
    logic [OutWidth-1:0]            result_q;

    assign lane = word_q2[p*LaneBits +: LaneBits];

    if (Slopes == 2) begin : gen_choice
      logic signed [InWidth-1:0]   x_in, x_q;
      logic signed [KneeWidth-1:0] knee;
      logic [PairBits-1:0]         pair_q;
      assign x_in = data_q2[p*InWidth +: InWidth];
      assign knee = lane[2*PairBits +: KneeWidth];
      always_ff @(posedge clk_i) begin
        pair_q <= (KneeWidth'(x_in) < knee) ? lane[PairBits +: PairBits] : lane[0 +: PairBits];
        x_q    <= x_in;
      end
      assign x      = x_q;
      assign factor = pair_q[0 +: FactorWidth];
      assign offset = pair_q[FactorWidth +: OffsetWidth];
    end else begin : gen_line
      assign x      = data_q2[p*InWidth +: InWidth];
      assign factor = lane[0 +: FactorWidth];
      assign offset = lane[FactorWidth +: OffsetWidth];
    end

    always_ff @(posedge clk_i) begin
      product_q <= ProductWidth'(x) * ProductWidth'(factor);
      offset_q  <= offset;
      sum_q     <= SumWidth'(product_q) + SumWidth'(offset_q);
    end

    assign kept = KeptWidth'(sum_q >>> Shift);

    if (OutWidth >= KeptWidth) begin : gen_whole
      always_ff @(posedge clk_i) result_q <= OutWidth'(kept);
    end else begin : gen_clip
      // In range if all bits from the result's sign bit up agree; else the end that it points to.
      logic negative, fits;
      assign negative = kept[KeptWidth-1];
      assign fits     = kept[KeptWidth-1:OutWidth-1] == {(KeptWidth - OutWidth + 1){negative}};
      always_ff @(posedge clk_i) begin
        result_q <= fits ? kept[OutWidth-1:0] : {negative, {(OutWidth - 1){~negative}}};
      end
    end

    assign data_o[p*OutWidth +: OutWidth] = result_q;
  end

endmodule

`default_nettype wire
