// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Any function of few bits, another one for each channel, read from memory: y = table[x].
// A part of xnorflow_requantize: no handshake.
//
// Why this structure: lanes look up different addresses, so a lane needs a memory port of its own.
// Two lanes share a memory, one at each port of a block RAM: at 8 bits the tables of four channels
// are half of one. Each memory has its own file, since $readmemh fills a whole memory.
//
//   file <TableFiles>_<m>.mem, for lanes 2*m + l, l < Lanes (2; 1 for the last one of an odd Pe):
//   word (f * Lanes + l) * 2**InWidth + x      result of channel f*Pe + 2*m + l for x, whose two's
//                                              complement bits are read as an unsigned number
//
// Latency: 2 cycles.
// Interval: 1 cycle; no handshake.
// Cost: 64 channels, Pe 16, 8 bits to 8 bits: 8 RAMB18, 128 FF (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_requantize_table #(
  // Tables of a lane, i.e. beats of a pixel, >= 1.
  parameter int unsigned Folds = 4,
  // Elements of a beat, >= 1.
  parameter int unsigned Pe = 16,
  // Bits of a two's complement input, 1 to 16; 1: whatever the bit stands for.
  parameter int unsigned InWidth = 8,
  // Bits of a result, >= 1.
  parameter int unsigned OutWidth = 8,
  // What the $readmemh files are called, relative to the working directory: <TableFiles>_0.mem ...
  parameter string TableFiles = "table",
  // Memory for the tables: "auto", "block" or "logic".
  parameter string RomStyle = "auto",
  // Follows: bits of the fold's number.
  localparam int unsigned FoldWidth = (Folds > 1) ? $clog2(Folds) : 1
) (
  input  wire logic                   clk_i,
  // Beat of the pixel that data_i is
  input  wire logic [FoldWidth-1:0]   fold_i,
  // Element p at bits p*InWidth and up
  input  wire logic [Pe*InWidth-1:0]  data_i,
  // Element p at bits p*OutWidth and up
  output logic      [Pe*OutWidth-1:0] data_o
);

  if (Folds < 1 || Pe < 1) begin : gen_check_positive
    $error("xnorflow_requantize_table: Folds and Pe must be at least 1");
  end
  if (InWidth < 1 || InWidth > 16) begin : gen_check_in_width
    $error("xnorflow_requantize_table: InWidth must be 1 to 16");
  end
  if (OutWidth < 1) begin : gen_check_out_width
    $error("xnorflow_requantize_table: OutWidth must be at least 1");
  end
  if (TableFiles == "") begin : gen_check_files
    $error("xnorflow_requantize_table: TableFiles must be named");
  end
  if (RomStyle != "auto" && RomStyle != "block" && RomStyle != "logic") begin : gen_check_style
    $error("xnorflow_requantize_table: RomStyle must be auto, block or logic");
  end

  // At most 16, so that the check above is what a wrong width is told by.
  localparam int unsigned TableWords = 2 ** ((InWidth > 16) ? 16 : InWidth);
  localparam int unsigned Memories   = (Pe + 1) / 2;

  for (genvar m = 0; m < Memories; m++) begin : gen_memory
    localparam int unsigned Lanes = (2 * m + 1 < Pe) ? 2 : 1;
    localparam int unsigned Words = Folds * Lanes * TableWords;
    localparam int unsigned AddressWidth = $clog2(Words);

    (* rom_style = RomStyle *) logic [OutWidth-1:0] words [Words];

    initial $readmemh($sformatf("%s_%0d.mem", TableFiles, m), words);

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      localparam int unsigned P = 2 * m + l;
      logic [AddressWidth-1:0] address;
      logic [OutWidth-1:0]     read_q, read_q2;  // a block RAM may have the second inside

      assign address = AddressWidth'((fold_i * Lanes + l) * TableWords)
                     + AddressWidth'(data_i[P*InWidth +: InWidth]);

      always_ff @(posedge clk_i) begin
        read_q  <= words[address];
        read_q2 <= read_q;
      end

      assign data_o[P*OutWidth +: OutWidth] = read_q2;
    end
  end

endmodule

`default_nettype wire
