// Test design: a fork whose outputs have readers that pause on their own; their beats meet again in one wide beat,
// output k at bits k*Width and up. An output that breaks the stream rules stops the simulation.

`default_nettype none

module forked #(
  parameter int unsigned Width = 8,
  parameter int unsigned Outputs = 2,
  parameter int unsigned Pause = 0,
  parameter int unsigned Depth = 9
) (
  input  wire logic                       clk_i,
  input  wire logic                       rst_ni,
  input  wire logic [Width-1:0]           data_i,
  input  wire logic                       valid_i,
  output logic                            ready_o,
  output logic      [Outputs*Width-1:0]   data_o,
  output logic                            valid_o,
  input  wire logic                       ready_i
);

  logic [Outputs-1:0][Width-1:0] fork_data, data, held_data_q;
  logic [Outputs-1:0]            fork_valid, fork_ready, valid, held_q;

  xnorflow_fork #(
    .Width  (Width),
    .Outputs(Outputs)
  ) u_fork (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data_i),
    .valid_i(valid_i),
    .ready_o(ready_o),
    .data_o (fork_data),
    .valid_o(fork_valid),
    .ready_i(fork_ready)
  );

  for (genvar k = 0; k < Outputs; k++) begin : gen_reader
    logic [Width-1:0] paused_data;
    logic             paused_valid, paused_ready;

    hiccup #(
      .Width(Width),
      .Pause(Pause),
      .Seed (k)
    ) u_hiccup (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .data_i (fork_data[k]),
      .valid_i(fork_valid[k]),
      .ready_o(fork_ready[k]),
      .data_o (paused_data),
      .valid_o(paused_valid),
      .ready_i(paused_ready)
    );

    xnorflow_fifo #(
      .Width(Width),
      .Depth(Depth)
    ) u_fifo (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .data_i (paused_data),
      .valid_i(paused_valid),
      .ready_o(paused_ready),
      .data_o (data[k]),
      .valid_o(valid[k]),
      .ready_i(valid_o & ready_i)
    );

    always_ff @(posedge clk_i) begin
      held_q[k]      <= rst_ni & fork_valid[k] & ~fork_ready[k];
      held_data_q[k] <= fork_data[k];
      if (rst_ni && held_q[k] && !(fork_valid[k] && fork_data[k] == held_data_q[k])) $fatal(1, "output %0d fell", k);
    end
  end

  assign valid_o = &valid;
  assign data_o  = data;

endmodule

`default_nettype wire
