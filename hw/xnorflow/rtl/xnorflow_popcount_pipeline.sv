// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Number of positions in which two bit vectors agree, as a pipeline of a given length.
//
// Why this structure: where LUTs have four inputs, two XNORs and the sum or carry of both are one
// LUT, two such sums are one LUT more, and from there on adders of two terms use the carry chain.
// The levels of this tree are spread evenly over the cycles there are, instead of a fast tree and
// a delay behind it. The last level is left to the accumulator, which adds two rows in place of
// one: the lowest bits of the four sums in front of it are added to the parity and to carries into
// those two, since there is one place of weight 1 only.
//
// Latency: Latency cycles. One level of adders a cycle, two in the first, from $clog2(Width) - 2
// on.
// Interval: 1 cycle; no handshake.
// Cost: 3.1 LUT a bit: 152 LUT4 and 22 CCU2C, which are 44 LUT4, and 119 FF for 64 (yosys, ECP5,
// mapped cells).

`default_nettype none

module xnorflow_popcount_pipeline #(
  // Bits compared, >= 1.
  parameter int unsigned Width = 64,
  // Cycles from the bits to their count, >= 1.
  parameter int unsigned Latency = 5,
  // Follows: bits of the count, and of a row.
  localparam int unsigned CountWidth = $clog2(Width + 1),
  localparam int unsigned RowWidth   = (CountWidth > 1) ? CountWidth - 1 : 1
) (
  input  wire logic                  clk_i,
  input  wire logic [Width-1:0]      data_i,
  input  wire logic [Width-1:0]      weight_i,
  // Count: 2 * (row a + row b) + odd
  output logic      [RowWidth-1:0]   row_a_o,
  output logic      [RowWidth-1:0]   row_b_o,
  output logic                       odd_o
);

  if (Width < 1) begin : gen_check_width
    $error("xnorflow_popcount_pipeline: Width must be at least 1");
  end
  if (Latency < 1) begin : gen_check_latency
    $error("xnorflow_popcount_pipeline: Latency must be at least 1");
  end

  //// Tree of adders ////
  localparam int unsigned Levels = $clog2(Width);
  // Whether the last two levels are one that gives rows.
  localparam bit          Rows   = Levels > 2;
  // Levels of adders in front of that one, and all that are spread over the cycles.
  localparam int unsigned Sums   = Rows ? Levels - 2 : Levels;
  localparam int unsigned Steps  = Rows ? Levels - 1 : Levels;

  // Returns the level that ends cycle 1, 2... Latency.
  function automatic int unsigned level_at(int unsigned cycle);
    if (cycle >= Latency) return Steps;
    if (Latency + 1 > Steps) return (cycle + 1 > Steps) ? Steps : cycle;
    // Two levels of plain LUTs in the first cycle; the others share the rest, the narrow adders
    // first.
    return 2 + ((Steps - 2) * (cycle - 1) + Latency - 2) / (Latency - 1);
  endfunction

  // Returns the registers behind a level.
  function automatic int unsigned registers_behind(int unsigned level);
    registers_behind = 0;
    for (int unsigned cycle = 1; cycle <= Latency; cycle++) begin
      if (level_at(cycle) == level) registers_behind++;
    end
  endfunction

  for (genvar level = 0; level <= Sums; level++) begin : gen_level
    // Counts of up to 2**level bits.
    localparam int unsigned Nodes     = (Width + 2 ** level - 1) / 2 ** level;
    localparam int unsigned NodeWidth = (level < Levels) ? level + 1 : CountWidth;
    localparam int unsigned Registers = registers_behind(level);

    logic [Nodes*NodeWidth-1:0] counts_d, counts_q;
    logic [Nodes*NodeWidth-1:0] stage [Registers+1];

    if (level == 0) begin : gen_equal
      assign counts_d = data_i ~^ weight_i;
    end else begin : gen_sums
      localparam int unsigned Below      = (Width + 2 ** (level - 1) - 1) / 2 ** (level - 1);
      localparam int unsigned BelowWidth = level;
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        logic [BelowWidth-1:0] left, right;
        assign left  = gen_level[level-1].counts_q[2*n*BelowWidth +: BelowWidth];
        if (2 * n + 1 < Below) begin : gen_two
          assign right = gen_level[level-1].counts_q[(2*n+1)*BelowWidth +: BelowWidth];
        end else begin : gen_one
          assign right = '0;
        end
        if (level == 1) begin : gen_pair
          assign counts_d[n*NodeWidth +: NodeWidth] = NodeWidth'({left & right, left ^ right});
        end else if (level == 2) begin : gen_four
          // No adder: its carry chain would be slower than the two LUTs, and no smaller.
          logic two, four;
          assign two  = left[0] & right[0];
          assign four = left[1] & right[1];
          assign counts_d[n*NodeWidth +: NodeWidth] =
            NodeWidth'({four, (left[1] ^ right[1]) | two, left[0] ^ right[0]});
        end else begin : gen_adder
          assign counts_d[n*NodeWidth +: NodeWidth] = NodeWidth'(left) + NodeWidth'(right);
        end
      end
    end

    assign stage[0] = counts_d;
    assign counts_q = stage[Registers];
    for (genvar r = 0; r < Registers; r++) begin : gen_register
      always_ff @(posedge clk_i) stage[r+1] <= stage[r];
    end
  end

  if (Rows) begin : gen_rows
    // Sums of a quarter each; of up to three quarters of all bits the last one is zero.
    localparam int unsigned Nodes     = (Width + 2 ** Sums - 1) / 2 ** Sums;
    localparam int unsigned NodeWidth = Sums + 1;
    localparam int unsigned Registers = registers_behind(Steps);

    logic [3:0][NodeWidth-1:0] quarters;
    logic [1:0]                carry;
    logic [2*RowWidth:0]       stage [Registers+1];

    assign quarters = (4 * NodeWidth)'(gen_level[Sums].counts_q[Nodes*NodeWidth-1:0]);
    assign carry[0] = (quarters[0][0] & quarters[1][0]) | (quarters[0][0] & quarters[2][0])
                    | (quarters[1][0] & quarters[2][0]);
    assign carry[1] = (quarters[0][0] ^ quarters[1][0] ^ quarters[2][0]) & quarters[3][0];
    for (genvar r = 0; r < 2; r++) begin : gen_row
      assign stage[0][r*RowWidth +: RowWidth] = RowWidth'(quarters[2*r][NodeWidth-1:1])
                                              + RowWidth'(quarters[2*r+1][NodeWidth-1:1])
                                              + RowWidth'(carry[r]);
    end
    assign stage[0][2*RowWidth] = quarters[0][0] ^ quarters[1][0] ^ quarters[2][0]
                                ^ quarters[3][0];

    for (genvar r = 0; r < Registers; r++) begin : gen_register
      always_ff @(posedge clk_i) stage[r+1] <= stage[r];
    end
    assign {odd_o, row_b_o, row_a_o} = stage[Registers];
  end else begin : gen_count
    assign {row_a_o, odd_o} = (RowWidth + 1)'(gen_level[Sums].counts_q);
    assign row_b_o          = '0;
  end

endmodule

`default_nettype wire
