// Test design: a beat is the inputs of a step and, above them, the number of its weight word; all counts are a beat.

`default_nettype none

module arrayed #(
  parameter int unsigned Simd = 64,
  parameter int unsigned InputWidth = 1,
  parameter int unsigned Pe = 16,
  parameter int unsigned Words = 64,
  parameter int unsigned RowWidth = 6,
  parameter int unsigned Latency = 4,
  localparam int unsigned WordWidth = (Words > 1) ? $clog2(Words) : 1,
  localparam int unsigned BeatWidth = Simd * InputWidth,
  localparam int unsigned LaneWidth = RowWidth + 2
) (
  input  wire logic                           clk_i,
  input  wire logic                           rst_ni,
  input  wire logic [WordWidth+BeatWidth-1:0] data_i,
  input  wire logic                           valid_i,
  output logic                                ready_o,
  // Counts: 2 * (row a + row b) + odd of a neuron each
  output logic      [Pe*LaneWidth-1:0]        data_o,
  output logic                                valid_o,
  input  wire logic                           ready_i
);

  logic [Latency+1:0]     valid_q;
  logic [BeatWidth-1:0]   beat_q, beat_q2;
  logic [Pe*RowWidth-1:0] row_a, row_b;
  logic [Pe-1:0]          odd;
  logic [Pe*LaneWidth-1:0] counts;

  always_ff @(posedge clk_i) begin
    beat_q  <= data_i[BeatWidth-1:0];
    beat_q2 <= beat_q;
    if (!rst_ni) valid_q <= '0;
    else         valid_q <= {valid_q[Latency:0], valid_i & ready_o};
  end

  xnorflow_popcount_array #(
    .Simd      (Simd),
    .InputWidth(InputWidth),
    .Pe        (Pe),
    .Words     (Words),
    .RowWidth  (RowWidth),
    .Latency   (Latency)
  ) u_array (
    .clk_i  (clk_i),
    .word_i (data_i[BeatWidth +: WordWidth]),
    .beat_i (beat_q2),
    .row_a_o(row_a),
    .row_b_o(row_b),
    .odd_o  (odd)
  );

  for (genvar p = 0; p < Pe; p++) begin : gen_lane
    assign counts[p*LaneWidth +: LaneWidth] =
      {(RowWidth+1)'(row_a[p*RowWidth +: RowWidth]) + (RowWidth+1)'(row_b[p*RowWidth +: RowWidth]), odd[p]};
  end

  xnorflow_credit_fifo #(
    .Width(Pe * LaneWidth),
    .Depth(Latency + 7)
  ) u_output (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .credit_o(ready_o),
    .take_i  (valid_i & ready_o),
    .data_i  (counts),
    .valid_i (valid_q[Latency+1]),
    .data_o  (data_o),
    .valid_o (valid_o),
    .ready_i (ready_i)
  );

endmodule

`default_nettype wire
