// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Output buffer of a pipeline that never stops: hands out one credit for each free place.
//
// Why this structure: a pipeline stalled by a clock enable is limited by the fan-out of that
// enable. Here the pipeline runs freely; whoever starts a result spends a credit first, and the
// credit comes back when the result has left, so there is always room for what is in flight.
// The output side follows the stream rules.
//
// Latency: as xnorflow_fifo; a credit is back one cycle after its result has left.
// Interval: as xnorflow_fifo, as long as Depth covers the pipeline in front of it.
// Cost: xnorflow_fifo + a counter of $clog2(Depth + 1) bits.

`default_nettype none

module xnorflow_credit_fifo #(
  // Bits of a result, >= 1.
  parameter int unsigned Width = 8,
  // Results in flight and held together, >= 1; latency + 1 keeps one result a cycle.
  parameter int unsigned Depth = 16,
  // Memory, as that of xnorflow_fifo.
  parameter string MemoryStyle = "auto"
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  // Credits: take_i only while credit_o
  output logic                  credit_o,
  input  wire logic             take_i,
  // Results, always accepted
  input  wire logic [Width-1:0] data_i,
  input  wire logic             valid_i,
  // Stream out
  output logic      [Width-1:0] data_o,
  output logic                  valid_o,
  input  wire logic             ready_i
);

  if (Width < 1) begin : gen_check_width
    $error("xnorflow_credit_fifo: Width must be at least 1");
  end
  if (Depth < 1) begin : gen_check_depth
    $error("xnorflow_credit_fifo: Depth must be at least 1");
  end

  localparam int unsigned CountWidth = $clog2(Depth + 1);

  logic [CountWidth-1:0] count_d, count_q;  // credits left
  logic                  credit_q;          // count_q != 0, registered for speed
  logic                  credit_d, several;
  logic                  give;
  logic                  unused_ready;

  assign give     = valid_o & ready_i;
  // What count_d != 0 comes to, without waiting for the sum.
  assign credit_d = give | (take_i ? several : credit_q);
  assign credit_o = credit_q;

  if (Depth > 1) begin : gen_several
    assign several = count_q > CountWidth'(1);
  end else begin : gen_one
    assign several = 1'b0;
  end

  always_comb begin
    count_d = count_q;
    if (give && !take_i) count_d = count_q + 1'b1;
    if (take_i && !give) count_d = count_q - 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q  <= CountWidth'(Depth);
      credit_q <= 1'b1;
    end else begin
      count_q  <= count_d;
      credit_q <= credit_d;
    end
  end

  xnorflow_fifo #(
    .Width      (Width),
    .Depth      (Depth),
    .MemoryStyle(MemoryStyle)
  ) u_fifo (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data_i),
    .valid_i(valid_i),
    .ready_o(unused_ready),
    .data_o (data_o),
    .valid_o(valid_o),
    .ready_i(ready_i)
  );

endmodule

`default_nettype wire
