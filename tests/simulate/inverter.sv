// Test design: every beat comes out inverted one cycle later. knobs.mem chooses its faults; 0 is off:
//   0 stop_after     take no beat after so many        4 surplus_after  send beat number n - 1 twice
//   1 flip_from      wrong bit 0 from that beat on     5 fatal_at       $fatal at that beat
//   2 drop_valid     valid falls before ready          6 finish_at      $finish at that beat
//   3 gap            wait so many cycles after a beat

`default_nettype none

module inverter #(
  parameter int unsigned Width = 8
) (
  input  wire logic             ap_clk,
  input  wire logic             ap_rst_n,
  input  wire logic [Width-1:0] in0_V_TDATA,
  input  wire logic             in0_V_TVALID,
  output logic                  in0_V_TREADY,
  output logic      [Width-1:0] out0_V_TDATA,
  output logic                  out0_V_TVALID,
  input  wire logic             out0_V_TREADY
);

  logic [31:0] knobs [7];
  initial $readmemh("knobs.mem", knobs);

  logic [Width-1:0] data_q;
  logic full_q, toggle_q, surplus_q;
  logic [31:0] taken_q, gap_q;

  logic in_transfer, out_transfer, again;
  assign in0_V_TREADY = (!full_q || (out_transfer && !again)) && gap_q == 0 &&
                        (knobs[0] == 0 || taken_q < knobs[0]);
  assign out0_V_TVALID = full_q && !(knobs[2] != 0 && toggle_q);
  assign out0_V_TDATA = data_q;
  assign in_transfer = in0_V_TVALID && in0_V_TREADY;
  assign out_transfer = out0_V_TVALID && out0_V_TREADY;
  assign again = knobs[4] != 0 && taken_q == knobs[4] && !surplus_q;

  always_ff @(posedge ap_clk) begin
    toggle_q <= !toggle_q;
    if (gap_q != 0) gap_q <= gap_q - 1;
    if (out_transfer) begin
      full_q <= again;
      if (again) surplus_q <= 1'b1;
    end
    if (in_transfer) begin
      full_q <= 1'b1;
      data_q <= ~in0_V_TDATA ^ Width'(knobs[1] != 0 && taken_q >= knobs[1]);
      taken_q <= taken_q + 1;
      gap_q <= knobs[3];
      if (knobs[5] != 0 && taken_q == knobs[5]) $fatal(1, "knob");
      if (knobs[6] != 0 && taken_q == knobs[6]) $finish;
    end
    if (!ap_rst_n) begin
      full_q <= 1'b0;
      toggle_q <= 1'b0;
      surplus_q <= 1'b0;
      taken_q <= '0;
      gap_q <= '0;
    end
  end

endmodule

`default_nettype wire
