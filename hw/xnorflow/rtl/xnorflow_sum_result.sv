// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A neuron's result, made of its sum plus 2**(AccWidth-1): the sign or the number.
//
// Why this structure: accumulators that are shifted by half of their range give 1 for a sum that
// is not negative, as a neuron's bit wants it. Wires, and an inverter where the number is wanted.
//
// Latency: 0. Interval: 1 cycle.
// Cost: none, or a LUT.

`default_nettype none

module xnorflow_sum_result #(
  // Bits of the sum, >= 2.
  parameter int unsigned AccWidth = 8,
  // 1: one bit, sum >= 0; 0: the sum.
  parameter bit Thresholded = 1'b1,
  // Bits of a result if not Thresholded, >= 1: low bits of the sum, or sign-extended.
  parameter int unsigned OutputWidth = 8,
  // Follows: bits of a result.
  localparam int unsigned Width = Thresholded ? 1 : OutputWidth
) (
  input  wire logic [AccWidth-1:0] sum_i,  // plus 2**(AccWidth-1)
  output logic      [Width-1:0]    result_o
);

  if (AccWidth < 2 || (!Thresholded && OutputWidth < 1)) begin : gen_check_width
    $error("xnorflow_sum_result: AccWidth must be at least 2 and OutputWidth at least 1");
  end

  if (Thresholded) begin : gen_fire
    assign result_o = sum_i[AccWidth-1];
    logic unused_low;
    assign unused_low = ^sum_i[AccWidth-2:0];
  end else begin : gen_value
    logic signed [AccWidth-1:0] value;
    assign value    = {~sum_i[AccWidth-1], sum_i[AccWidth-2:0]};
    assign result_o = Width'(value);
    if (Width < AccWidth) begin : gen_high
      logic unused_high;
      assign unused_high = ^value[AccWidth-1:Width];
    end
  end

endmodule

`default_nettype wire
