// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Parities of the subtrees of a binary tree that has a bit of a vector at each node.
//
// Why this structure: node i has the nodes 2*i + 1 and 2*i + 2 below it, and data_i[i] is its own
// bit; its parity is that of all bits in its subtree. Where two vectors x and w are compared, the
// number of positions in which they agree is, with X and W their trees of parities,
//
//   sum_i xnor(x[i], w[i]) = 2 * sum_i carry_i + (X[0] XNOR W[0])
//
// carry_i being the carry of a full adder at node i that adds the node's own XNOR and the two
// parity XNORs from below: X[n] XNOR W[n] is the parity of the XNORs of n's whole subtree, so the
// sum bits of all these full adders need no logic. A carry is a function of six bits: X and W at
// i, 2*i + 1 and 2*i + 2. (Where the number of bits is even, the last of these nodes has nothing at
// its right; w is taken to be 1 there, and x to be 0.) Trees of inputs are shared by all neurons
// and those of weights are stored, which leaves one LUT for each two products, and half as many
// bits to be counted.
//
// Latency: Stages cycles.
// Interval: 1 cycle; no handshake.
// Cost: a three-input XOR for two bits, of which yosys makes 45 LUT for 64 bits.

`default_nettype none

module xnorflow_parity_tree #(
  // Bits, >= 1.
  parameter int unsigned Width = 64,
  // Registers behind one another, >= 1; each is Width bits and cuts the levels of the tree evenly.
  parameter int unsigned Stages = 1
) (
  input  wire logic             clk_i,
  input  wire logic [Width-1:0] data_i,
  output logic      [Width-1:0] tree_o
);

  if (Width < 1) begin : gen_check_width
    $error("xnorflow_parity_tree: Width must be at least 1");
  end
  if (Stages < 1) begin : gen_check_stages
    $error("xnorflow_parity_tree: Stages must be at least 1");
  end

  localparam int unsigned Nodes  = Width / 2;  // those that have others below
  localparam int unsigned Levels = $clog2(Nodes + 1);
  localparam int unsigned Cut    = (Levels + Stages - 1) / Stages;

  logic [Width-1:0] stage_d [Stages];
  // Flip-flops come with the LUTs; a shift register would take LUTs of its own.
  (* shreg_extract = "no" *) logic [Stages-1:0][Width-1:0] stage_q;

  for (genvar s = 0; s < Stages; s++) begin : gen_stage
    logic [Width-1:0] bits;
    if (s == 0) begin : gen_input
      assign bits = data_i;
    end else begin : gen_next
      assign bits = stage_q[s-1];
    end
    for (genvar i = 0; i < Width; i++) begin : gen_node
      // Levels are counted from the leaves: the deepest nodes come first.
      localparam int unsigned Level = Levels - $clog2(i + 2) + 1;
      logic node;
      if (i < Nodes && Level > s * Cut && Level <= (s + 1) * Cut) begin : gen_sum
        if (2 * i + 2 < Width) begin : gen_both
          assign node = bits[i] ^ gen_node[2*i+1].node ^ gen_node[2*i+2].node;
        end else begin : gen_left
          assign node = bits[i] ^ gen_node[2*i+1].node;
        end
      end else begin : gen_keep
        assign node = bits[i];
      end
      assign stage_d[s][i] = node;
    end
    always_ff @(posedge clk_i) stage_q[s] <= stage_d[s];
  end

  assign tree_o = stage_q[Stages-1];

endmodule

`default_nettype wire
