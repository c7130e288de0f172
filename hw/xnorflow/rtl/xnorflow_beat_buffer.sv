// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Inputs of a matrix-vector unit: written while the first neuron fold takes them from the stream,
// read in all neuron folds.
//
// Why this structure: what is read in the cycle after it was written needs no way around the
// memory, so a LUTRAM with its registers in front is all there is, six bits in four LUTs. A beat
// has to end in a register without anything else in between, in here or in what takes it: yosys
// (0.70) otherwise gives the memory's write port the read port's late address.
//
// Latency: 1 cycle from a step to its beat, 2 with the register.
// Interval: 1 cycle.
// Cost: 4 LUT for six bits of up to 32 beats; with a single neuron fold a register.

`default_nettype none

module xnorflow_beat_buffer #(
  // Beats of a frame, >= 1, and neuron folds of a frame, >= 1.
  parameter int unsigned Sf = 16,
  parameter int unsigned Nf = 4,
  // Bits of a beat, >= 1.
  parameter int unsigned Width = 64,
  // Whether there is a register behind the memory; without it the reader must have one.
  parameter bit OutputRegister = 1'b1,
  // Follows: bits of the number of a beat.
  localparam int unsigned SfWidth = (Sf > 1) ? $clog2(Sf) : 1
) (
  input  wire logic               clk_i,
  // A step: beat sf_i comes in at data_i if write_i
  input  wire logic [SfWidth-1:0] sf_i,
  input  wire logic               write_i,
  input  wire logic [Width-1:0]   data_i,
  // Its beat, one or two cycles later
  output logic      [Width-1:0]   beat_o
);

  if (Sf < 1 || Nf < 1 || Width < 1) begin : gen_check_positive
    $error("xnorflow_beat_buffer: Sf, Nf and Width must be at least 1");
  end

  logic [Width-1:0] beat;

  if (Nf > 1) begin : gen_memory
    // Never read and written at the same address in one cycle.
    (* no_rw_check *) logic [Width-1:0] beats [Sf];
    logic [SfWidth-1:0] read_q;

    always_ff @(posedge clk_i) begin
      if (write_i) beats[sf_i] <= data_i;
      read_q <= sf_i;
    end
    assign beat = beats[read_q];
  end else begin : gen_register
    logic [Width-1:0] direct_q;
    logic             unused_step;
    assign unused_step = ^{sf_i, write_i};

    always_ff @(posedge clk_i) direct_q <= data_i;
    assign beat = direct_q;
  end

  if (OutputRegister) begin : gen_output_register
    logic [Width-1:0] beat_q;
    always_ff @(posedge clk_i) beat_q <= beat;
    assign beat_o = beat_q;
  end else begin : gen_no_output_register
    assign beat_o = beat;
  end

endmodule

`default_nettype wire
