// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The Xilinx cells that the RTL instantiates, where no vendor tool brings them: a LUT of six
// inputs, one with a second output for the lower half of its table, and the carry chain of a slice
// (UG474).
// Synthesis sees their ports, simulation their behavior.

`default_nettype none

`ifdef SYNTHESIS
`define XNORFLOW_BLACKBOX (* blackbox *)
`else
`define XNORFLOW_BLACKBOX
`endif

`XNORFLOW_BLACKBOX
module LUT6 #(
  parameter logic [63:0] INIT = 64'd0
) (
  input  wire logic I0, I1, I2, I3, I4, I5,
  output logic      O
);
`ifndef SYNTHESIS
  assign O = INIT[{I5, I4, I3, I2, I1, I0}];
`endif
endmodule

`XNORFLOW_BLACKBOX
module LUT6_2 #(
  parameter logic [63:0] INIT = 64'd0
) (
  input  wire logic I0, I1, I2, I3, I4, I5,
  output logic      O5, O6
);
`ifndef SYNTHESIS
  assign O5 = INIT[{1'b0, I4, I3, I2, I1, I0}];
  assign O6 = INIT[{I5, I4, I3, I2, I1, I0}];
`endif
endmodule

`XNORFLOW_BLACKBOX
module CARRY4 (
  input  wire logic [3:0] DI, S,
  input  wire logic       CI, CYINIT,
  output logic      [3:0] CO, O
);
`ifndef SYNTHESIS
  logic carry;
  always_comb begin
    carry = CI | CYINIT;
    for (int unsigned i = 0; i < 4; i++) begin
      O[i]  = S[i] ^ carry;
      carry = S[i] ? carry : DI[i];
      CO[i] = carry;
    end
  end
`endif
endmodule

`default_nettype wire
