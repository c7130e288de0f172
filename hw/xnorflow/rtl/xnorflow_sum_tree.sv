// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Pipelined sum of many small integers.
//
// Why this structure: four terms a register stage are two adders deep on carry chains, which
// keeps up with a block RAM; each level is only as wide as its sums need. There is no enable:
// a sum leaves Latency cycles after its terms came, whatever they were.
//
// Latency: ($clog2(Terms) + 1) / 2 cycles, rounded down; 0 for one term.
// Interval: 1 cycle; no handshake.
// Cost: 133 LUT, 52 FF for 16 terms of 8 bits (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_sum_tree #(
  // Number of terms, >= 1.
  parameter int unsigned Terms = 4,
  // Bits of a term, >= 1.
  parameter int unsigned Width = 8,
  // Whether terms are two's complement.
  parameter bit Signed = 1'b0,
  // Follows: bits of the sum.
  localparam int unsigned SumWidth = Width + $clog2(Terms)
) (
  input  wire logic                   clk_i,
  // Term t at bits t*Width and up
  input  wire logic [Terms*Width-1:0] terms_i,
  output logic      [SumWidth-1:0]    sum_o
);

  if (Terms < 1) begin : gen_check_terms
    $error("xnorflow_sum_tree: Terms must be at least 1");
  end
  if (Width < 1) begin : gen_check_width
    $error("xnorflow_sum_tree: Width must be at least 1");
  end

  localparam int unsigned FanIn  = 4;
  localparam int unsigned Levels = ($clog2(Terms) + 1) / 2;

  for (genvar level = 0; level <= Levels; level++) begin : gen_level
    // Sums of up to 4**level terms.
    localparam int unsigned Nodes     = (Terms + FanIn ** level - 1) / FanIn ** level;
    localparam int unsigned FullWidth = Width + 2 * level;
    localparam int unsigned NodeWidth = (FullWidth < SumWidth) ? FullWidth : SumWidth;

    logic [NodeWidth-1:0] node [Nodes];

    if (level == 0) begin : gen_terms
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        assign node[n] = terms_i[n*Width +: Width];
      end
    end else begin : gen_sums
      localparam int unsigned Below = (Terms + FanIn ** (level - 1) - 1) / FanIn ** (level - 1);
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        localparam int unsigned Left = Below - n * FanIn;
        localparam int unsigned Used = (Left < FanIn) ? Left : FanIn;
        logic [NodeWidth-1:0] sum_d, sum_q;
        always_comb begin
          sum_d = '0;
          for (int unsigned k = 0; k < Used; k++) begin
            if (Signed) sum_d += NodeWidth'(signed'(gen_level[level-1].node[n*FanIn+k]));
            else        sum_d += NodeWidth'(gen_level[level-1].node[n*FanIn+k]);
          end
        end
        always_ff @(posedge clk_i) sum_q <= sum_d;
        assign node[n] = sum_q;
      end
    end
  end

  if (Levels == 0) begin : gen_no_clock
    logic unused_clk;
    assign unused_clk = clk_i;
  end

  assign sum_o = gen_level[Levels].node[0];

endmodule

`default_nettype wire
