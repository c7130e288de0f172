// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Accumulator of one neuron: adds two rows of bits in each step, and gives the sum behind the last.
//
// Why this structure: an adder of three rows takes one LUT a bit, and the fifth input of that LUT
// is free for a start value: it comes in a frame's first step, when the register is zero, and is
// zero in all others, so that an OR of the two is all it takes. The register is cleared by its own
// reset pin as the sum behind the last step goes on. A carry chain of LUTs of four inputs has no
// room for that OR: there the register is loaded with the next start value instead, so that
// nothing but a row of full adders is in front of the chain. What leaves is whether the sum is
// negative, the other way round, so that a neuron's output needs no inverter: that bit is kept
// inverted.
//
//   sum = (register | start) + 2 * (row_a + row_b) + odd,    modulo 2**AccWidth
//
// Latency: 1 cycle.
// Interval: 1 cycle; no handshake.
// Cost: AccWidth LUT, of which each but one is on the carry chain.

`default_nettype none

module xnorflow_row_accumulator #(
  // Bits of the two's complement accumulator, >= 2.
  parameter int unsigned AccWidth = 12,
  // Bits of a row, >= 1; bits beyond the accumulator do not count.
  parameter int unsigned RowWidth = 6,
  // Whether a frame has one step only, so that there is nothing to keep.
  parameter bit          OneStep  = 1'b0,
  // Whether to use LUT6_2 and CARRY4 of a Xilinx chip.
  parameter bit          Primitives = 1'b0,
  // Follows: whether the register is loaded with the start value of what comes behind a last step.
  localparam bit         Loaded = !Primitives && !OneStep
) (
  input  wire logic                clk_i,
  // A step: rows, and whether it is the last of a frame; last_i only with valid_i
  input  wire logic                valid_i,
  input  wire logic                last_i,
  input  wire logic [RowWidth-1:0] row_a_i,
  input  wire logic [RowWidth-1:0] row_b_i,
  input  wire logic                odd_i,
  // Loaded: start value of the next frame, in a last step; else: start value in a first step, or
  // zero
  input  wire logic [AccWidth-1:0] start_i,
  // One cycle later; the sum's top bit is inverted
  output logic      [AccWidth-1:0] sum_o
);

  if (AccWidth < 2 || RowWidth < 1) begin : gen_check_widths
    $error("xnorflow_row_accumulator: AccWidth must be at least 2 and RowWidth at least 1");
  end

  // Both have their top bits inverted.
  localparam logic [AccWidth-1:0] Zero = {1'b1, {(AccWidth-1){1'b0}}};
  logic [AccWidth-1:0] acc_q, sum;

  if (OneStep) begin : gen_nothing_kept
    logic unused_step;
    assign unused_step = valid_i ^ last_i;
    assign acc_q       = Zero;
  end else if (Loaded) begin : gen_loaded
    always_ff @(posedge clk_i) begin
      if (valid_i) acc_q <= last_i ? start_i ^ Zero : sum;
    end
  end else begin : gen_register
    always_ff @(posedge clk_i) begin
      if (last_i)       acc_q <= Zero;
      else if (valid_i) acc_q <= sum;
    end
  end

  always_ff @(posedge clk_i) sum_o <= sum;

  if (Primitives) begin : gen_primitives
    localparam int unsigned Chains = (AccWidth + 3) / 4;
    logic [4*Chains-1:0] propagate, generated, sums, carries;
    logic [AccWidth:0]   majority;  // of the three bits below

    assign majority[1:0] = 2'b00;

    for (genvar i = 0; i < 4 * Chains; i++) begin : gen_bit
      if (i >= AccWidth) begin : gen_unused
        assign propagate[i] = 1'b0;
        assign generated[i] = 1'b0;
      end else if (i == 0) begin : gen_first
        assign propagate[0] = (acc_q[0] | start_i[0]) ^ odd_i;
        assign generated[0] = odd_i;
      end else if (i > RowWidth || i == AccWidth - 1) begin : gen_above
        localparam bit          Top = i == AccWidth - 1;
        localparam int unsigned Row = (i > RowWidth) ? 0 : i - 1;
        logic base, row;
        assign base          = (acc_q[i] ^ Top) | start_i[i];
        assign row           = (i > RowWidth) ? 1'b0 : row_a_i[Row] ^ row_b_i[Row];
        assign propagate[i]  = base ^ majority[i] ^ row ^ Top;
        assign generated[i]  = majority[i];
        assign majority[i+1] = 1'b0;
      end else begin : gen_rows
        // O6: sum of the rows, the accumulator and what came from below; O5: majority of the
        // first three.
        LUT6_2 #(.INIT(64'h6669_9996_EEE8_EEE8)) u_sum (
          .I0(row_a_i[i-1]), .I1(row_b_i[i-1]), .I2(acc_q[i]), .I3(start_i[i]), .I4(majority[i]),
          .I5(1'b1), .O6(propagate[i]), .O5(majority[i+1])
        );
        assign generated[i] = majority[i];
      end
    end

    for (genvar c = 0; c < Chains; c++) begin : gen_chain
      CARRY4 u_chain (
        .CO(carries[4*c +: 4]), .O(sums[4*c +: 4]),
        .CI((c == 0) ? 1'b0 : carries[(c > 0) ? 4*c-1 : 0]), .CYINIT(1'b0),
        .DI(generated[4*c +: 4]), .S(propagate[4*c +: 4])
      );
    end

    logic unused_top;
    assign unused_top = ^{carries, majority[AccWidth]};
    assign sum        = sums[AccWidth-1:0];
    if (4 * Chains > AccWidth) begin : gen_rest
      logic unused_sums;
      assign unused_sums = ^sums[4*Chains-1:AccWidth];
    end
  end else begin : gen_behavioral
    localparam int unsigned Wide = (RowWidth + 2 > AccWidth) ? RowWidth + 2 : AccWidth;
    logic [AccWidth-1:0] base;
    logic [Wide-1:0]     row_a, row_b;
    assign base = (acc_q ^ Zero) | (Loaded ? '0 : start_i);
    assign row_a = {(Wide-1)'(row_a_i), odd_i};
    assign row_b = {(Wide-1)'(row_b_i), 1'b0};
    // Inverted in front of the adder: no LUT is left behind it. One sum of three terms, for
    // synthesis to put one adder behind a row of full adders.
    assign sum   = (base ^ Zero) + AccWidth'(row_a) + AccWidth'(row_b);
    if (Wide > AccWidth) begin : gen_modulo
      logic unused_high;
      assign unused_high = ^{row_a[Wide-1:AccWidth], row_b[Wide-1:AccWidth]};
    end
  end

endmodule

`default_nettype wire
