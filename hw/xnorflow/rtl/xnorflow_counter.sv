// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Generalized parallel counter on one carry chain of a chip with LUTs of six inputs.
//
// Why this structure: two positions of a carry chain add six bits and a carry: the first LUT gives
// the parity of all six, and of five of them, and the second tells whether those five hold one or
// two pairs. The bit at the chain's start comes for nothing and the last carry is an output, so
// that two such pairs turn 13 bits into 5 with four LUTs, the (6,0,7;5): two bits less for each
// LUT, which no counter on these chips exceeds. A single position adds two bits and the carry.
//
// Positions of the chain from the least weight on: bit p of Pairs says that a pair begins at
// position p, which has weight 2**p. The bits of an input come in that order behind the start's.
//
// Latency: 0, combinational.
// Interval: none.
// Cost: Positions LUT6_2 and one CARRY4.

`default_nettype none

module xnorflow_counter #(
  // Positions of the chain, 1 to 4.
  parameter int unsigned          Positions = 2,
  // Where pairs begin: bit p for position p; they do not overlap.
  parameter logic [3:0]           Pairs     = 4'b0001,
  // Follows: bits counted, six a pair, two a single position, and the start.
  localparam int unsigned         Bits      = 1 + 2 * Positions + 2 * $countones(Pairs)
) (
  // Bit 0: at the chain's start, weight 1
  input  wire logic [Bits-1:0]    bits_i,
  output logic      [Positions:0] count_o
);

  if (Positions < 1 || Positions > 4) begin : gen_check_positions
    $error("xnorflow_counter: Positions must be 1 to 4");
  end
  if ((Pairs & (Pairs << 1)) != 0 || (Pairs >> (Positions - 1)) != 0) begin : gen_check_pairs
    $error("xnorflow_counter: Pairs must not overlap and must end within Positions");
  end

  logic [3:0] propagate, generated, sums, carries;

  for (genvar p = 0; p < 4; p++) begin : gen_position
    // Six bits of each pair and two of each single position below this one.
    localparam logic [3:0]  Below = Pairs & ((4'd1 << p) - 4'd1);
    localparam int unsigned First = 1 + 2 * p + 2 * $countones(Below);

    if (p >= Positions) begin : gen_unused
      assign propagate[p] = 1'b0;
      assign generated[p] = 1'b0;
    end else if (Pairs[p]) begin : gen_pair
      // O6: parity of six bits; O5: parity of the first five.
      LUT6_2 #(.INIT(64'h6996_9669_9669_6996)) u_parity (
        .I0(bits_i[First]), .I1(bits_i[First+1]), .I2(bits_i[First+2]), .I3(bits_i[First+3]),
        .I4(bits_i[First+4]), .I5(bits_i[First+5]), .O6(propagate[p]), .O5(generated[p])
      );
      // O6: two or three of the five bits are set; O5: four or five.
      LUT6_2 #(.INIT(64'h177E_7EE8_E880_8000)) u_pairs (
        .I0(bits_i[First]), .I1(bits_i[First+1]), .I2(bits_i[First+2]), .I3(bits_i[First+3]),
        .I4(bits_i[First+4]), .I5(1'b1), .O6(propagate[p+1]), .O5(generated[p+1])
      );
    end else if (p == 0 || !Pairs[(p + 3) % 4]) begin : gen_single
      // O6: one of two bits is set; O5: the first.
      LUT6_2 #(.INIT(64'h6666_6666_AAAA_AAAA)) u_half (
        .I0(bits_i[First]), .I1(bits_i[First+1]), .I2(1'b0), .I3(1'b0), .I4(1'b0), .I5(1'b1),
        .O6(propagate[p]), .O5(generated[p])
      );
    end
  end

  xnorflow_carry4 u_chain (
    .CO(carries), .O(sums), .CI(1'b0), .CYINIT(bits_i[0]), .DI(generated), .S(propagate)
  );

  assign count_o = {carries[Positions-1], sums[Positions-1:0]};

  if (Positions < 4) begin : gen_rest
    logic unused_sums;
    assign unused_sums = ^sums[3:Positions];
  end

  logic unused_carries;
  assign unused_carries = ^carries;

endmodule

`default_nettype wire
