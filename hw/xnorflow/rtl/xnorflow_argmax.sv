// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Position of the largest of a frame's scores, the first one where several are largest; follows
// the stream rules.
//
// Why this structure: the Pe scores of a beat meet in a registered tournament, its winner meets
// the best of the beats before. The earlier score is always on the left and loses only to a
// strictly larger one, which is numpy's and torch's rule. Signed scores are compared as unsigned
// ones with the top bit inverted.
//
// Latency: $clog2(Pe) + 3 cycles from a frame's last beat to its label.
// Interval: exactly Labels / Pe cycles a frame while beats are offered and labels are taken.
// Cost: 10 scores of 12 bits: 37 LUT, 42 FF for Pe = 1; 190 LUT, 128 FF for Pe = 10 (yosys, xc7,
// mapped cells).

`default_nettype none

module xnorflow_argmax #(
  // Scores of a frame, >= 1.
  parameter int unsigned Labels = 10,
  // Scores of a beat, >= 1; divides Labels.
  parameter int unsigned Pe = 1,
  // Bits of a score, >= 1.
  parameter int unsigned Width = 8,
  // Whether scores are two's complement.
  parameter bit Signed = 1'b1,
  // Bits of the label going out, >= 1 and enough for Labels - 1; zero-extended.
  parameter int unsigned LabelWidth = 4
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,
  // Scores in: score beat*Pe + p at bits p*Width and up
  input  wire logic [Pe*Width-1:0]   data_i,
  input  wire logic                  valid_i,
  output logic                       ready_o,
  // Labels out
  output logic      [LabelWidth-1:0] data_o,
  output logic                       valid_o,
  input  wire logic                  ready_i
);

  if (Labels < 1 || Pe < 1 || Width < 1) begin : gen_check_positive
    $error("xnorflow_argmax: Labels, Pe and Width must be at least 1");
  end else if (Labels % Pe != 0) begin : gen_check_pe
    $error("xnorflow_argmax: Pe must divide Labels");
  end
  if (LabelWidth < 1 || LabelWidth < $clog2(Labels)) begin : gen_check_label_width
    $error("xnorflow_argmax: LabelWidth must hold Labels - 1");
  end

  // At least 1, so that the checks above are what wrong parameters are told by.
  localparam int unsigned Beats     = (Pe > 0 && Labels > Pe) ? Labels / Pe : 1;
  localparam int unsigned Levels    = $clog2(Pe);
  localparam int unsigned BeatWidth = (Beats > 1) ? $clog2(Beats) : 1;
  localparam int unsigned Latency   = Levels + 3;
  localparam logic [BeatWidth-1:0] LastBeat = BeatWidth'(Beats - 1);

  //// Issue: any beat may start a frame whose label has a place ////
  logic                 issue, credit, last;
  logic [BeatWidth-1:0] beat_d, beat_q;

  assign issue   = valid_i & credit;
  assign ready_o = credit;
  assign last    = beat_q == LastBeat;

  always_comb begin
    beat_d = beat_q;
    if (issue) beat_d = last ? '0 : beat_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) beat_q <= '0;
    else         beat_q <= beat_d;
  end

  //// Tournament: level l holds winners among 2**l neighbors ////
  for (genvar level = 0; level <= Levels; level++) begin : gen_level
    localparam int unsigned Nodes = (Pe + 2 ** level - 1) / 2 ** level;
    logic                  valid;
    logic                  last_beat;
    logic [Width-1:0]      score [Nodes];
    logic [LabelWidth-1:0] index [Nodes];

    if (level == 0) begin : gen_scores
      assign valid     = issue;
      assign last_beat = last;
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        always_comb begin
          score[n] = data_i[n*Width +: Width];
          score[n][Width-1] ^= Signed;
        end
        assign index[n] = LabelWidth'(n);
      end
    end else begin : gen_matches
      localparam int unsigned Below = (Pe + 2 ** (level - 1) - 1) / 2 ** (level - 1);
      logic valid_q, last_q;
      always_ff @(posedge clk_i) begin
        if (!rst_ni) valid_q <= 1'b0;
        else         valid_q <= gen_level[level-1].valid;
        last_q <= gen_level[level-1].last_beat;
      end
      assign valid     = valid_q;
      assign last_beat = last_q;
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        logic [Width-1:0]      score_q;
        logic [LabelWidth-1:0] index_q;
        if (2 * n + 1 < Below) begin : gen_match
          logic right_wins;
          assign right_wins = gen_level[level-1].score[2*n+1] > gen_level[level-1].score[2*n];
          always_ff @(posedge clk_i) begin
            score_q <= gen_level[level-1].score[right_wins ? 2*n+1 : 2*n];
            index_q <= gen_level[level-1].index[right_wins ? 2*n+1 : 2*n];
          end
        end else begin : gen_bye
          always_ff @(posedge clk_i) begin
            score_q <= gen_level[level-1].score[2*n];
            index_q <= gen_level[level-1].index[2*n];
          end
        end
        assign score[n] = score_q;
        assign index[n] = index_q;
      end
    end
  end

  //// Best of the frame so far ////
  logic [Width-1:0]      best_score_q;
  logic [LabelWidth-1:0] best_label_q, base_d, base_q;
  logic                  first_q, wins, winner_valid, winner_last, label_valid_q;

  assign winner_valid = gen_level[Levels].valid;
  assign winner_last  = gen_level[Levels].last_beat;
  assign wins         = winner_valid & (first_q | (gen_level[Levels].score[0] > best_score_q));

  always_comb begin
    base_d = base_q;
    if (winner_valid) base_d = winner_last ? '0 : base_q + LabelWidth'(Pe);
  end

  always_ff @(posedge clk_i) begin
    if (wins) begin
      best_score_q <= gen_level[Levels].score[0];
      best_label_q <= base_q + gen_level[Levels].index[0];
    end
    if (!rst_ni) begin
      first_q       <= 1'b1;
      base_q        <= '0;
      label_valid_q <= 1'b0;
    end else begin
      if (winner_valid) first_q <= winner_last;
      base_q        <= base_d;
      label_valid_q <= winner_valid & winner_last;
    end
  end

  xnorflow_credit_fifo #(
    .Width(LabelWidth),
    .Depth(Latency + 2)
  ) u_output (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .credit_o(credit),
    .take_i  (issue & last),
    .data_i  (best_label_q),
    .valid_i (label_valid_q),
    .data_o  (data_o),
    .valid_o (valid_o),
    .ready_i (ready_i)
  );

endmodule

`default_nettype wire
