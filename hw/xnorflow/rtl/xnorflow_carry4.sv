// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Carry chain of a slice of a Xilinx chip, whose last carry is an output of its own.
//
// Why this structure: yosys knows what a CARRY4 computes and takes the sum of the position above
// for the last carry, since they are equal there, which blocks that position's LUT. Where
// XNORFLOW_CARRY_BOX is defined it sees a black box, which is to become a CARRY4 afterwards.
//
// Latency: 0, combinational.
// Interval: none.
// Cost: one CARRY4.

`default_nettype none

`ifdef XNORFLOW_CARRY_BOX
(* blackbox *)
`endif
module xnorflow_carry4 (
  // As the ports of CARRY4 (UG474)
  input  wire logic [3:0] DI,
  input  wire logic [3:0] S,
  input  wire logic       CI,
  input  wire logic       CYINIT,
  output logic      [3:0] CO,
  output logic      [3:0] O
);

`ifndef XNORFLOW_CARRY_BOX
  CARRY4 u_carry (
    .DI(DI), .S(S), .CI(CI), .CYINIT(CYINIT), .CO(CO), .O(O)
  );
`endif

endmodule

`default_nettype wire
