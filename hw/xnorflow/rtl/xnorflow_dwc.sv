// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Data width converter: splits or joins beats by an integer ratio; follows the stream rules.
//
// Why this structure: one register more than a wide beat. A splitter may then take the next wide
// beat while its last piece still waits, a joiner the first piece of the next beat while its
// full beat still waits: no bubble although ready_o does not depend on ready_i.
//
//   wide beat:  | piece R-1 | ... | piece 1 | piece 0 |   piece 0, in the low bits, goes first
//
// Latency: InWidth > OutWidth: 1 cycle; InWidth < OutWidth: 1 cycle after the last piece;
// equal: 0 (wires).
// Interval: one beat a cycle on the narrow side.
// Cost: InWidth + OutWidth FF and a count; 64 to 8 bits: 91 LUT; 8 to 64 bits: 22 LUT (yosys, xc7,
// mapped cells).

`default_nettype none

module xnorflow_dwc #(
  // Bits of a beat coming in, >= 1.
  parameter int unsigned InWidth = 8,
  // Bits of a beat going out, >= 1; a multiple or a divisor of InWidth.
  parameter int unsigned OutWidth = 8
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,
  // Stream in
  input  wire logic [InWidth-1:0]  data_i,
  input  wire logic                valid_i,
  output logic                     ready_o,
  // Stream out
  output logic      [OutWidth-1:0] data_o,
  output logic                     valid_o,
  input  wire logic                ready_i
);

  if (InWidth < 1 || OutWidth < 1) begin : gen_check_width
    $error("xnorflow_dwc: InWidth and OutWidth must be at least 1");
  end else if (InWidth % OutWidth != 0 && OutWidth % InWidth != 0) begin : gen_check_ratio
    $error("xnorflow_dwc: InWidth and OutWidth must divide one another");
  end

  if (InWidth > OutWidth && OutWidth > 0) begin : gen_split
    localparam int unsigned Ratio      = InWidth / OutWidth;
    localparam int unsigned CountWidth = $clog2(Ratio + 2);

    logic [Ratio:0][OutWidth-1:0]   piece_d, piece_q;  // piece_q[0] is the output
    logic [Ratio-1:0][OutWidth-1:0] wide;
    logic [CountWidth-1:0]          count_d, count_q;  // pieces held
    logic                           push, pop;

    assign wide    = data_i;
    assign ready_o = count_q <= CountWidth'(1);
    assign valid_o = count_q != '0;
    assign data_o  = piece_q[0];
    assign push    = valid_i & ready_o;
    assign pop     = valid_o & ready_i;

    always_comb begin
      piece_d = piece_q;
      count_d = count_q;
      if (pop) begin
        piece_d = piece_q >> OutWidth;
        count_d = count_q - 1'b1;
      end
      if (push) begin
        if (count_d == '0) piece_d = {{OutWidth{1'b0}}, wide};
        else               piece_d[Ratio:1] = wide;
        count_d = count_d + CountWidth'(Ratio);
      end
    end

    always_ff @(posedge clk_i) begin
      piece_q <= piece_d;
      if (!rst_ni) count_q <= '0;
      else         count_q <= count_d;
    end

  end else if (OutWidth > InWidth && InWidth > 0) begin : gen_join
    localparam int unsigned Ratio      = OutWidth / InWidth;
    localparam int unsigned CountWidth = $clog2(Ratio + 2);
    localparam logic [CountWidth-1:0] Full = CountWidth'(Ratio);

    logic [Ratio-1:0][InWidth-1:0] piece_q;  // the output
    logic [InWidth-1:0]            spare_q;  // first piece of the next beat
    logic [CountWidth-1:0]         count_d, count_q;  // pieces held, the spare one included
    logic [CountWidth-1:0]         place;  // where the piece coming in goes
    logic                          push, pop;

    assign ready_o = count_q <= Full;
    assign valid_o = count_q >= Full;
    assign data_o  = piece_q;
    assign push    = valid_i & ready_o;
    assign pop     = valid_o & ready_i;

    always_comb begin
      place   = pop ? count_q - Full : count_q;
      count_d = push ? place + 1'b1 : place;
    end

    always_ff @(posedge clk_i) begin
      for (int unsigned r = 0; r < Ratio; r++) begin
        if (push && place == CountWidth'(r)) piece_q[r] <= data_i;
      end
      if (pop && place == CountWidth'(1)) piece_q[0] <= spare_q;
      if (push) spare_q <= data_i;
      if (!rst_ni) count_q <= '0;
      else         count_q <= count_d;
    end

  end else begin : gen_wires
    logic unused_clk_rst;
    assign unused_clk_rst = clk_i & rst_ni;
    assign data_o       = data_i;
    assign valid_o      = valid_i;
    assign ready_o      = ready_i;
  end

endmodule

`default_nettype wire
