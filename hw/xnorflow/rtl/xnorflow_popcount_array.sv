// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Array of plain XNOR-popcounts behind xnorflow_xnor_unit, for any chip and for simulation.
//
// Why this structure: the same ports and the same latency as the arrays that are written for chips
// with LUTs of six inputs. There are two bodies of the same function: for synthesis, a pipeline of
// popcounts for each neuron, spread over all of that latency; for simulation, one popcount for each
// neuron, of inputs that waited as long, and none where a step is that of the cycle before, as in a
// pause. The tests check both against the same vectors.
//
// Latency: Latency cycles from a beat to its counts.
// Interval: 1 cycle; no handshake.
// Cost: Windows * Pe times xnorflow_popcount_pipeline, and the weights.

`default_nettype none

module xnorflow_popcount_array #(
  // Products of a neuron, >= 1.
  parameter int unsigned Simd = 64,
  // Bits of an input, >= 1; 1: bits that stand for -1 and +1; more: two's complement.
  parameter int unsigned InputWidth = 1,
  // Neurons, >= 1.
  parameter int unsigned Pe = 16,
  // Windows that are counted at a time, >= 1; they share the weights.
  parameter int unsigned Windows = 1,
  // Weight words, >= 1.
  parameter int unsigned Words = 64,
  // Bits of a row, >= 1: it holds half of Simd * (2**InputWidth - 1).
  parameter int unsigned RowWidth = 6,
  // Cycles from a beat to its counts, >= 1, and at least those of xnorflow_sign_sum.
  parameter int unsigned Latency = 4,
  // $readmemh file, relative to the working directory: bit p*Simd + s is the weight of product s
  // for neuron p.
  parameter string WeightFile = "weights.mem",
  // Memory for the weights: "block" (block RAM) or "logic" (LUTs).
  parameter string WeightStyle = "logic",
  // Follows: bits of the number of a weight word, of a window's part of a beat, and of a beat.
  localparam int unsigned WordWidth = (Words > 1) ? $clog2(Words) : 1,
  localparam int unsigned WindowWidth = Simd * InputWidth,
  localparam int unsigned BeatWidth   = Windows * WindowWidth
) (
  input  wire logic                    clk_i,
  // Number of the weight word, two cycles before its beat
  input  wire logic [WordWidth-1:0]    word_i,
  input  wire logic [BeatWidth-1:0]    beat_i,
  // Counts: 2 * (row a + row b) + odd. Of inputs of several bits it is the sum of
  // (weight ? x : ~x), and Simd * 2**(InputWidth-1) more, so that it is not negative;
  // those of window m and neuron p in place m*Pe + p
  output logic      [Windows*Pe*RowWidth-1:0] row_a_o,
  output logic      [Windows*Pe*RowWidth-1:0] row_b_o,
  output logic      [Windows*Pe-1:0]          odd_o
);

  localparam int unsigned CountWidth   = $clog2(Simd * (2**InputWidth - 1) + 1);
  localparam int unsigned LeastLatency = (InputWidth == 1) ? 1 : ($clog2(Simd) + 1) / 2;

  if (Simd < 1 || InputWidth < 1 || Pe < 1 || Words < 1) begin : gen_check_positive
    $error("xnorflow_popcount_array: Simd, InputWidth, Pe and Words must be at least 1");
  end
  if (Windows < 1) begin : gen_check_windows
    $error("xnorflow_popcount_array: Windows must be at least 1");
  end
  if (RowWidth < 1 || RowWidth + 1 < CountWidth) begin : gen_check_row_width
    $error("xnorflow_popcount_array: RowWidth must hold half of the largest count");
  end
  if (Latency < LeastLatency) begin : gen_check_latency
    $error("xnorflow_popcount_array: Latency must be at least that of the count");
  end
  if (WeightFile == "") begin : gen_check_file
    $error("xnorflow_popcount_array: WeightFile must be named");
  end
  if (WeightStyle != "block" && WeightStyle != "logic") begin : gen_check_style
    $error("xnorflow_popcount_array: WeightStyle must be block or logic");
  end

`ifdef SYNTHESIS
  //// A pipeline for each neuron ////
  (* rom_style = WeightStyle *) logic [Pe*Simd-1:0] weights [Words];
  logic [Pe*Simd-1:0] read_q, weight_q;

  initial $readmemh(WeightFile, weights);

  always_ff @(posedge clk_i) begin
    read_q   <= weights[word_i];
    weight_q <= read_q;
  end

  for (genvar p = 0; p < Windows * Pe; p++) begin : gen_neuron
    logic [WindowWidth-1:0] beat;
    assign beat = beat_i[p/Pe*WindowWidth +: WindowWidth];

    if (InputWidth == 1) begin : gen_popcount
      localparam int unsigned PartWidth = (CountWidth > 1) ? CountWidth - 1 : 1;
      logic [PartWidth-1:0] part_a, part_b;
      xnorflow_popcount_pipeline #(
        .Width  (Simd),
        .Latency(Latency)
      ) u_popcount (
        .clk_i   (clk_i),
        .data_i  (beat),
        .weight_i(weight_q[p%Pe*Simd +: Simd]),
        .row_a_o (part_a),
        .row_b_o (part_b),
        .odd_o   (odd_o[p])
      );
      assign row_a_o[p*RowWidth +: RowWidth] = RowWidth'(part_a);
      assign row_b_o[p*RowWidth +: RowWidth] = RowWidth'(part_b);
    end else begin : gen_sign_sum
      // At least 0, so that the check above is what a wrong latency is told by.
      localparam int unsigned Delay = (Latency > LeastLatency) ? Latency - LeastLatency : 0;
      logic signed [InputWidth+$clog2(Simd)-1:0] sum;
      logic [CountWidth-1:0] delayed [Delay+1];
      xnorflow_sign_sum #(
        .Terms(Simd),
        .Width(InputWidth)
      ) u_sign_sum (
        .clk_i   (clk_i),
        .data_i  (beat),
        .weight_i(weight_q[p%Pe*Simd +: Simd]),
        .sum_o   (sum)
      );
      assign delayed[0] = CountWidth'(sum) + CountWidth'(Simd << (InputWidth - 1));
      for (genvar d = 0; d < Delay; d++) begin : gen_delay
        always_ff @(posedge clk_i) delayed[d+1] <= delayed[d];
      end
      assign {row_a_o[p*RowWidth +: RowWidth], odd_o[p]} = (RowWidth + 1)'(delayed[Delay]);
      assign row_b_o[p*RowWidth +: RowWidth] = '0;
    end
  end

`else
  //// All counts at once, from what came Latency cycles ago ////
  // What comes waits in rings instead of pipelines, so that nothing but their places moves.
  localparam int unsigned PlaceWidth = (Latency > 1) ? $clog2(Latency) : 1;
  localparam int unsigned Second     = (Latency > 2) ? 2 : 0;
  localparam int unsigned PlaneWidth = (InputWidth == 8) ? (Simd + 7) / 8 * 8 : Simd;

  logic [Pe*Simd-1:0]    weights [2**WordWidth];  // whole, so that no word is out of range
  logic [WordWidth-1:0]  words   [2**PlaceWidth];
  logic [BeatWidth-1:0]  beats   [2**PlaceWidth];  // inverted: what is left is an XOR
  // The oldest, and that behind the second oldest.
  logic [PlaceWidth-1:0] word_place_q, beat_place_q;
  logic [WordWidth-1:0]  word, word_q;
  logic [BeatWidth-1:0]  next_beat, beat_q, beat;
  logic                  new_q;  // the step differs from the last one, else the counts are the same
  // A bit of all inputs of a window, and zeros; signs are inverted.
  logic [Windows-1:0][InputWidth-1:0][PlaneWidth-1:0] planes;

  function automatic logic [PlaceWidth-1:0] next_place(logic [PlaceWidth-1:0] place);
    return (place == PlaceWidth'(Latency - 1)) ? '0 : place + 1'b1;
  endfunction

  initial begin
    new_q        = 1'b1;
    word_place_q = '0;
    beat_place_q = PlaceWidth'(Second);
    $readmemh(WeightFile, weights, 0, int'(Words) - 1);
  end

  assign word      = words[word_place_q];
  assign next_beat = (Latency > 2) ? beats[beat_place_q] : ~beat_i;
  assign beat      = (Latency > 1) ? beat_q : ~beat_i;
  assign row_b_o   = '0;

  always_ff @(posedge clk_i) begin
    words[word_place_q] <= word_i;
    beats[word_place_q] <= ~beat_i;
    word_place_q        <= next_place(word_place_q);
    beat_place_q        <= next_place(beat_place_q);
    word_q              <= word;
    beat_q              <= next_beat;
    new_q               <= Latency == 1 || word != word_q || next_beat != beat_q;
  end

  for (genvar k = 0; k < Windows * InputWidth; k++) begin : gen_plane
    localparam int unsigned Window = k / InputWidth;
    localparam int unsigned Bit    = k % InputWidth;
    logic [WindowWidth-1:0] part;
    logic [PlaneWidth-1:0]  bits;
    assign part = beat[Window*WindowWidth +: WindowWidth];
    if (InputWidth == 8) begin : gen_bytes
      logic [PlaneWidth*8-1:0] bytes;
      assign bytes = (PlaneWidth*8)'(part);
      for (genvar s = 0; s < PlaneWidth; s += 8) begin : gen_eight
        // The product's highest byte is a bit of each of eight bytes.
        assign bits[s +: 8] = 8'((((bytes[s*8 +: 64] >> Bit) & 64'h0101_0101_0101_0101)
                                  * 64'h0102_0408_1020_4080) >> 56);
      end
    end else begin : gen_any
      for (genvar s = 0; s < Simd; s++) begin : gen_bit
        assign bits[s] = part[s*InputWidth+Bit];
      end
    end
    localparam bit Sign = InputWidth > 1 && Bit == InputWidth - 1;
    assign planes[Window][Bit] = bits ^ PlaneWidth'({Simd{Sign}});
  end

  for (genvar p = 0; p < Windows * Pe; p++) begin : gen_neuron
    logic [CountWidth-1:0] count_d, count_q;
    always_comb begin
      count_d = '0;
      for (int unsigned b = 0; b < InputWidth; b++) begin
        count_d += CountWidth'($countones(
          planes[p/Pe][b] ^ PlaneWidth'(weights[word_q][p%Pe*Simd +: Simd]))) << b;
      end
    end
    always_ff @(posedge clk_i) begin
      if (new_q) count_q <= count_d;
    end
    assign {row_a_o[p*RowWidth +: RowWidth], odd_o[p]} = (RowWidth + 1)'(count_q);
  end
`endif

endmodule

`default_nettype wire
