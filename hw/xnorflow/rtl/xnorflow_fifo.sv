// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Bounded first-in first-out buffer of one stream; follows the stream rules.
//
// Why this structure: the output register is part of the capacity and is the memory's read
// register, so a deep buffer maps to LUTRAM or block RAM as it stands; ready_o comes from
// registers only, so a FIFO also cuts the ready path. Up to Depth = 2 there is no memory, only
// the output register and one spare register behind it.
//
// Latency: 1 cycle for Depth <= 2, else 2 cycles.
// Interval: one beat a cycle for Depth >= 2; every other cycle for Depth = 1.
// Cost: storage of Depth words, two pointers and a count: 16 bits x 33: 13 LUT + 3 RAM32M, 33 FF;
// 36 bits x 1,025: 21 LUT + 1 RAMB36 (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_fifo #(
  // Bits of a beat, >= 1.
  parameter int unsigned Width = 8,
  // Beats held at most, the output register included, >= 1.
  parameter int unsigned Depth = 2,
  // Memory of more than two beats: "auto" (up to the tool), "block" (block RAM) or "distributed"
  // (LUTRAM).
  parameter string MemoryStyle = "auto"
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  // Stream in
  input  wire logic [Width-1:0] data_i,
  input  wire logic             valid_i,
  output logic                  ready_o,
  // Stream out
  output logic      [Width-1:0] data_o,
  output logic                  valid_o,
  input  wire logic             ready_i
);

  if (Width < 1) begin : gen_check_width
    $error("xnorflow_fifo: Width must be at least 1");
  end
  if (Depth < 1) begin : gen_check_depth
    $error("xnorflow_fifo: Depth must be at least 1");
  end
  if (MemoryStyle != "auto" && MemoryStyle != "block" && MemoryStyle != "distributed")
  begin : gen_check_style
    $error("xnorflow_fifo: MemoryStyle must be auto, block or distributed");
  end

  logic [Width-1:0] data_q;
  logic             valid_d, valid_q;
  logic             push;  // a beat comes in
  logic             free;  // the output register is empty or being emptied

  assign push    = valid_i & ready_o;
  assign free    = ready_i | ~valid_q;
  assign data_o  = data_q;
  assign valid_o = valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else         valid_q <= valid_d;
  end

  if (Depth <= 1) begin : gen_register
    assign ready_o = ~valid_q;
    assign valid_d = push | ~free;

    always_ff @(posedge clk_i) begin
      if (push) data_q <= data_i;
    end

  end else if (Depth == 2) begin : gen_spare
    logic [Width-1:0] spare_q;
    logic             spare_valid_d, spare_valid_q;

    assign ready_o       = ~spare_valid_q;
    assign valid_d       = spare_valid_q | push | ~free;
    assign spare_valid_d = (spare_valid_q | push) & ~free;

    always_ff @(posedge clk_i) begin
      if (push) spare_q <= data_i;
      if (free) data_q <= spare_valid_q ? spare_q : data_i;
      if (!rst_ni) spare_valid_q <= 1'b0;
      else         spare_valid_q <= spare_valid_d;
    end

  end else begin : gen_memory
    localparam int unsigned Words      = Depth - 1;
    localparam int unsigned PtrWidth   = $clog2(Words);
    localparam int unsigned CountWidth = $clog2(Words + 1);
    localparam logic [CountWidth-1:0] Full = CountWidth'(Words);
    // The count alone keeps to the depth. Up to 1,024 words 2**n of them take no more memory, and
    // addresses wrap by themselves.
    localparam int unsigned Places = (Words <= 1024) ? 2 ** PtrWidth : Words;
    localparam logic [PtrWidth-1:0] LastPlace = PtrWidth'(Places - 1);

    // Never read and written at the same address in one cycle.
    (* no_rw_check, ram_style = MemoryStyle *) logic [Width-1:0] mem [Places];
    logic [PtrWidth-1:0]   write_d, write_q, read_d, read_q;
    logic [CountWidth-1:0] count_q, change;  // 1 or -1
    logic                  load;  // memory to output register

    assign ready_o = count_q != Full;
    assign load    = (count_q != '0) & free;
    assign valid_d = load | ~free;
    assign change  = {{(CountWidth - 1){load}}, 1'b1};

    always_comb begin
      write_d = write_q + 1'b1;
      read_d  = read_q + 1'b1;
      if (write_q == LastPlace) write_d = '0;
      if (read_q == LastPlace) read_d = '0;
    end

    always_ff @(posedge clk_i) begin
      if (push) mem[write_q] <= data_i;
      if (load) data_q <= mem[read_q];
      if (!rst_ni) begin
        write_q <= '0;
        read_q  <= '0;
        count_q <= '0;
      end else begin
        if (push) write_q <= write_d;
        if (load) read_q <= read_d;
        if (push != load) count_q <= count_q + change;
      end
    end
  end

endmodule

`default_nettype wire
