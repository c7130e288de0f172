// Test design: a beat's low half and its high half are compared, and the count of equal bits is a beat.

`default_nettype none

module counted #(
  parameter int unsigned Width = 64,
  parameter int unsigned Latency = 5,
  localparam int unsigned CountWidth = $clog2(Width + 1),
  localparam int unsigned RowWidth = (CountWidth > 1) ? CountWidth - 1 : 1
) (
  input  wire logic                  clk_i,
  input  wire logic                  rst_ni,
  input  wire logic [2*Width-1:0]    data_i,
  input  wire logic                  valid_i,
  output logic                       ready_o,
  output logic      [CountWidth-1:0] data_o,
  output logic                       valid_o,
  input  wire logic                  ready_i
);

  logic [Latency-1:0]    valid_q;
  logic [CountWidth-1:0] count;
  logic [RowWidth-1:0]   row_a, row_b;
  logic                  odd;

  assign count = CountWidth'({row_a, odd}) + CountWidth'({row_b, 1'b0});

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else         valid_q <= Latency'({valid_q, valid_i & ready_o});
  end

  xnorflow_popcount_pipeline #(
    .Width  (Width),
    .Latency(Latency)
  ) u_popcount (
    .clk_i   (clk_i),
    .data_i  (data_i[Width-1:0]),
    .weight_i(data_i[2*Width-1:Width]),
    .row_a_o (row_a),
    .row_b_o (row_b),
    .odd_o   (odd)
  );

  xnorflow_credit_fifo #(
    .Width(CountWidth),
    .Depth(Latency + 5)
  ) u_output (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .credit_o(ready_o),
    .take_i  (valid_i & ready_o),
    .data_i  (count),
    .valid_i (valid_q[Latency-1]),
    .data_o  (data_o),
    .valid_o (valid_o),
    .ready_i (ready_i)
  );

endmodule

`default_nettype wire
