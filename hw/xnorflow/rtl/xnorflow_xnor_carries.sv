// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Carries of the XNORs of two vectors, given as trees of parities; see xnorflow_parity_tree.
//
// Why this structure: one LUT of six inputs for each node with others below, and no other logic.
//
// Latency: 0, combinational: the first counters behind it have room in the same cycle.
// Interval: none.
// Cost: half a LUT6 a bit: 32 for 64 bits.

`default_nettype none

module xnorflow_xnor_carries #(
  // Bits of a vector, >= 2.
  parameter int unsigned  Width = 64,
  // Follows: carries, each worth 2.
  localparam int unsigned Nodes = Width / 2
) (
  input  wire logic [Width-1:0] data_tree_i,
  input  wire logic [Width-1:0] weight_tree_i,
  output logic      [Nodes-1:0] carries_o,
  // What is left over, worth 1
  output logic                  odd_o
);

  if (Width < 2) begin : gen_check_width
    $error("xnorflow_xnor_carries: Width must be at least 2");
  end

  for (genvar i = 0; i < Nodes; i++) begin : gen_node
    if (2 * i + 2 < Width) begin : gen_both
      LUT6 #(.INIT(64'h8E4D_2B17_E8D4_B271)) u_carry (
        .I0(data_tree_i[2*i+1]), .I1(data_tree_i[2*i+2]), .I2(data_tree_i[i]),
        .I3(weight_tree_i[2*i+1]), .I4(weight_tree_i[2*i+2]), .I5(weight_tree_i[i]),
        .O(carries_o[i])
      );
    end else begin : gen_left
      // No right node: as if its XNOR were 0.
      LUT6 #(.INIT(64'h0A05_0A05_A050_A050)) u_carry (
        .I0(data_tree_i[2*i+1]), .I1(1'b0), .I2(data_tree_i[i]),
        .I3(weight_tree_i[2*i+1]), .I4(1'b0), .I5(weight_tree_i[i]), .O(carries_o[i])
      );
    end
  end

  assign odd_o = data_tree_i[0] ~^ weight_tree_i[0];

endmodule

`default_nettype wire
