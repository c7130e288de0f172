// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Writes every beat that a stream carries to a text file, one hexadecimal word a line, or every cycle
// after reset, with valid and ready behind the word. For simulation only; drives nothing.

`default_nettype none

module xnorflow_tap #(
  // Bits of a beat, >= 1.
  parameter int unsigned Width = 8,
  // Whether every cycle is written.
  parameter bit EveryCycle = 1'b0,
  // File, relative to the folder in which the simulation starts.
  parameter string File = "tap.txt"
) (
  input wire logic             clk_i,
  input wire logic             rst_ni,
  input wire logic [Width-1:0] data_i,
  input wire logic             valid_i,
  input wire logic             ready_i
);

  integer file;
  initial file = $fopen(File, "w");

  always @(posedge clk_i) begin
    if (rst_ni & (EveryCycle | (valid_i & ready_i))) begin
      if (EveryCycle) $fwrite(file, "%h %b%b\n", data_i, valid_i, ready_i);
      else $fwrite(file, "%h\n", data_i);
      $fflush(file);  // the process goes on after the simulation
    end
  end

endmodule

`default_nettype wire
