// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Data width converter: splits or joins beats by an integer ratio; follows the stream rules.
//
// Why this structure: one register more than a wide beat. A splitter may then take the next wide
// beat while its last piece still waits, a joiner the first piece of the next beat while its
// full beat still waits: no bubble although ready_o does not depend on ready_i. A splitter chooses
// pieces instead of shifting the wide beat, which would cost a LUT for each of its bits.
//
//   wide beat:  | piece R-1 | ... | piece 1 | piece 0 |   piece 0, in the low bits, goes first
//
// Latency: InWidth > OutWidth: 1 cycle; InWidth < OutWidth: 1 cycle after the last piece;
// equal: 0 (wires).
// Interval: one beat a cycle on the narrow side.
// Cost: InWidth + OutWidth FF and a count; 64 to 8 bits: 31 LUT; 8 to 64 bits: 19 LUT (yosys, xc7,
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
    localparam int unsigned NextWidth  = (Ratio > 1) ? $clog2(Ratio) : 1;
    localparam logic [NextWidth-1:0] Last = NextWidth'(Ratio - 1);

    logic [Ratio-1:0][OutWidth-1:0] wide_q;   // the newest wide beat
    logic [OutWidth-1:0]            piece_q;  // the output
    logic [OutWidth-1:0]            piece;    // what goes there next
    logic [NextWidth-1:0]           next_d, next_q;  // piece of wide_q that goes out next
    logic                           ready_d, ready_q, valid_q, push, free;

    assign ready_o = ready_q;
    assign valid_o = valid_q;
    assign data_o  = piece_q;
    assign push    = valid_i & ready_q;
    assign free    = ready_i | ~valid_q;

    // Nothing waits in wide_q while ready_q is high. A beat that comes in then goes on at once
    // from its second piece if the output is free, else from its first one.
    always_comb begin
      next_d  = next_q;
      ready_d = ready_q;
      if (push) begin
        next_d  = NextWidth'(free);
        ready_d = 1'b0;
      end else if (free && !ready_q) begin
        next_d  = next_q + 1'b1;
        ready_d = next_q == Last;
      end
    end

    // While nothing waits, next_q is Ratio, or 0 where that is a power of two, and what comes in
    // goes on. Multiplexers of four are one LUT a bit, if they are kept apart from the others.
    localparam int unsigned Groups = (Ratio + 4) / 4;
    localparam bit          Beside = 2 ** NextWidth == Ratio;
    logic [OutWidth-1:0] chosen;

    if (Ratio > 5) begin : gen_groups
      (* keep *) logic [Groups-1:0][OutWidth-1:0] group;
      for (genvar g = 0; g < Groups; g++) begin : gen_group
        logic [3:0][OutWidth-1:0] four;
        for (genvar n = 0; n < 4; n++) begin : gen_four
          if (4 * g + n < Ratio) begin : gen_piece
            assign four[n] = wide_q[4*g + n];
          end else begin : gen_next
            assign four[n] = data_i[OutWidth-1:0];
          end
        end
        assign group[g] = four[next_q[1:0]];
      end
      assign chosen = group[next_q[NextWidth-1:2]];
    end else begin : gen_one
      logic [2**NextWidth-1:0][OutWidth-1:0] sources;
      for (genvar n = 0; n < 2 ** NextWidth; n++) begin : gen_source
        if (n < Ratio) begin : gen_piece
          assign sources[n] = wide_q[n];
        end else begin : gen_next
          assign sources[n] = data_i[OutWidth-1:0];
        end
      end
      assign chosen = sources[next_q];
    end
    assign piece = (Beside && ready_q) ? data_i[OutWidth-1:0] : chosen;

    always_ff @(posedge clk_i) begin
      if (push) wide_q <= data_i;
      if (free) piece_q <= piece;
      if (!rst_ni) begin
        next_q  <= NextWidth'(Ratio);
        ready_q <= 1'b1;
        valid_q <= 1'b0;
      end else begin
        next_q  <= next_d;
        ready_q <= ready_d;
        valid_q <= valid_i | ~ready_q | ~free;
      end
    end

  end else if (OutWidth > InWidth && InWidth > 0) begin : gen_join
    localparam int unsigned Ratio      = OutWidth / InWidth;
    localparam int unsigned PlaceWidth = (Ratio > 1) ? $clog2(Ratio) : 1;
    localparam logic [PlaceWidth-1:0] Last = PlaceWidth'(Ratio - 1);

    logic [Ratio-1:0][InWidth-1:0] piece_q;  // the output
    logic [InWidth-1:0]            spare_q;  // first piece of the next beat
    logic [PlaceWidth-1:0]         place_d, place_q;  // where the piece coming in goes
    logic                          full_d, full_q;    // all pieces are there
    logic                          ready_d, ready_q;  // the spare register is empty
    logic                          push;

    assign ready_o = ready_q;
    assign valid_o = full_q;
    assign data_o  = piece_q;
    assign push    = valid_i & ready_q;

    always_comb begin
      place_d = place_q;
      if (push) place_d = (place_q == Last) ? '0 : place_q + 1'b1;
      full_d  = (push && place_q == Last) | (full_q & ~ready_i);
      ready_d = ~full_q | ready_i | (ready_q & ~valid_i);
    end

    always_ff @(posedge clk_i) begin
      for (int unsigned r = 1; r < Ratio; r++) begin
        if (push && place_q == PlaceWidth'(r)) piece_q[r] <= data_i;
      end
      // While a full beat waits, the first piece of the next one is kept in spare_q.
      if (full_q ? ready_i : place_q == '0) piece_q[0] <= ready_q ? data_i : spare_q;
      if (ready_q) spare_q <= data_i;
      if (!rst_ni) begin
        place_q <= '0;
        full_q  <= 1'b0;
        ready_q <= 1'b1;
      end else begin
        place_q <= place_d;
        full_q  <= full_d;
        ready_q <= ready_d;
      end
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
