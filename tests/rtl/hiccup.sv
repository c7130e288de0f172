// Test part: passes a stream on with random pauses, which follow the stream rules on both sides.

`default_nettype none

module hiccup #(
  parameter int unsigned Width = 8,
  // A beat waits for another cycle with a probability of Pause / 256.
  parameter int unsigned Pause = 0,
  parameter int unsigned Seed = 1
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic [Width-1:0] data_i,
  input  wire logic             valid_i,
  output logic                  ready_o,
  output logic      [Width-1:0] data_o,
  output logic                  valid_o,
  input  wire logic             ready_i
);

  logic [31:0] random_d, random_q;  // xorshift
  logic        go_q;

  assign data_o  = data_i;
  assign valid_o = valid_i & go_q;
  assign ready_o = ready_i & go_q;

  always_comb begin
    random_d = random_q ^ (random_q << 13);
    random_d = random_d ^ (random_d >> 17);
    random_d = random_d ^ (random_d << 5);
  end

  always_ff @(posedge clk_i) begin
    random_q <= random_d;
    // What has been offered stays so.
    go_q <= (valid_o & ~ready_i) | (32'(random_q[15:8]) >= Pause);
    if (!rst_ni) begin
      random_q <= 32'h9e3779b9 * (2 * Seed + 1);
      go_q     <= 1'b1;
    end
  end

endmodule

`default_nettype wire
