// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Writes every beat that a stream carries to a text file, one hexadecimal word a line. For
// simulation only; drives nothing.

`default_nettype none

module xnorflow_tap #(
  // Bits of a beat, >= 1.
  parameter int unsigned Width = 8,
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
    if (rst_ni & valid_i & ready_i) begin
      $fwrite(file, "%h\n", data_i);
      $fflush(file);  // the process goes on after the simulation
    end
  end

endmodule

`default_nettype wire
