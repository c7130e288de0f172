// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Registers of a DMA engine on AXI4-Lite, laid out as those of FINN's IODMA are, so that FINN's
// drivers work unchanged.
//
//   0x00  control    bit 0 start, 1 until the engine has taken it; bit 1 done, cleared by reading;
//                    bit 2 idle; bit 3 ready, cleared by reading
//   0x04  bit 0 enables the interrupt    0x08  bits 0 and 1: by done, by ready
//   0x0C  what has happened of these; writing a 1 toggles the bit
//   0x10  address, bits 0 to 31          0x14  address, bits 32 to 63
//   0x1C  frames of the batch
//   0x28  bit 0: an access to memory has failed since the last start
//
// Why this structure: a write waits in registers until both its address and its data are there, a
// read until its answer has been taken, so that no ready depends on a valid.
//
// Latency: 2 cycles from the later of address and data to a write, 1 to a read's answer.
// Interval: 3 cycles a write, 2 a read.
// Cost: 94 LUT, 182 FF (yosys, xc7, mapped cells).

`default_nettype none

module xnorflow_dma_control (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  // AXI4-Lite, 64 bytes
  input  wire logic [5:0]  awaddr_i,
  input  wire logic        awvalid_i,
  output logic             awready_o,
  input  wire logic [31:0] wdata_i,
  input  wire logic [3:0]  wstrb_i,
  input  wire logic        wvalid_i,
  output logic             wready_o,
  output logic      [1:0]  bresp_o,
  output logic             bvalid_o,
  input  wire logic        bready_i,
  input  wire logic [5:0]  araddr_i,
  input  wire logic        arvalid_i,
  output logic             arready_o,
  output logic      [31:0] rdata_o,
  output logic      [1:0]  rresp_o,
  output logic             rvalid_o,
  input  wire logic        rready_i,
  output logic             interrupt_o,
  // Engine: start_o for a cycle, with address and frames that stay until done_i, for a cycle
  output logic             start_o,
  output logic      [63:0] address_o,
  output logic      [31:0] frames_o,
  input  wire logic        done_i,
  input  wire logic        error_i
);

  typedef enum logic [3:0] {
    Control = 4'h0,
    Enable  = 4'h1,
    Events  = 4'h2,
    Status  = 4'h3,
    Low     = 4'h4,
    High    = 4'h5,
    Frames  = 4'h7,
    Failure = 4'ha
  } register_e;

  logic [3:0]  write_to_q;
  logic [31:0] write_data_q;
  logic [3:0]  write_lanes_q;
  logic        address_held_q, data_held_q, answer_q;
  logic        write, read;

  logic [63:0] address_q;
  logic [31:0] frames_q;
  logic        busy_q, start_q, done_q, ready_q, enable_q, failed_q;
  logic [1:0]  events_q, status_q;

  assign awready_o = ~address_held_q;
  assign wready_o  = ~data_held_q;
  assign bvalid_o  = answer_q;
  assign bresp_o   = 2'b00;
  assign rresp_o   = 2'b00;
  assign arready_o = ~rvalid_o;

  assign write = address_held_q & data_held_q & ~answer_q;
  assign read  = arvalid_i & arready_o;

  always_ff @(posedge clk_i) begin
    if (awvalid_i && awready_o) write_to_q <= awaddr_i[5:2];
    if (wvalid_i && wready_o) begin
      write_data_q  <= wdata_i;
      write_lanes_q <= wstrb_i;
    end
    if (!rst_ni) begin
      address_held_q <= 1'b0;
      data_held_q    <= 1'b0;
      answer_q       <= 1'b0;
    end else begin
      address_held_q <= (awvalid_i & awready_o) | (address_held_q & ~write);
      data_held_q    <= (wvalid_i & wready_o) | (data_held_q & ~write);
      answer_q       <= write | (answer_q & ~bready_i);
    end
  end

  // What a write makes of a register: bytes that it does not name stay.
  function automatic logic [31:0] merged(logic [31:0] kept);
    for (int unsigned lane = 0; lane < 4; lane++) begin
      merged[lane*8 +: 8] = write_lanes_q[lane] ? write_data_q[lane*8 +: 8] : kept[lane*8 +: 8];
    end
  endfunction

  logic       starts, reads_control;
  logic [1:0] happens;

  assign starts        = write & (write_to_q == Control) & write_lanes_q[0] & write_data_q[0];
  assign reads_control = read & (araddr_i[5:2] == Control);
  assign happens       = {2{done_i}} & events_q;  // done and ready come together

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      address_q <= '0;
      frames_q  <= '0;
      busy_q    <= 1'b0;
      start_q   <= 1'b0;
      done_q    <= 1'b0;
      ready_q   <= 1'b0;
      enable_q  <= 1'b0;
      failed_q  <= 1'b0;
      events_q  <= '0;
      status_q  <= '0;
    end else begin
      if (write) begin
        unique case (write_to_q)
          Enable:  enable_q         <= merged({31'b0, enable_q}) == 32'd1;
          Events:  events_q         <= write_lanes_q[0] ? write_data_q[1:0] : events_q;
          Low:     address_q[31:0]  <= merged(address_q[31:0]);
          High:    address_q[63:32] <= merged(address_q[63:32]);
          Frames:  frames_q         <= merged(frames_q);
          default: ;
        endcase
      end
      start_q  <= starts & ~busy_q;
      busy_q   <= (starts & ~busy_q) | (busy_q & ~done_i);
      done_q   <= done_i | (done_q & ~reads_control);
      ready_q  <= done_i | (ready_q & ~reads_control);
      failed_q <= error_i | (failed_q & ~(starts & ~busy_q));
      status_q <= (status_q | happens)
                ^ ({2{write & (write_to_q == Status) & write_lanes_q[0]}} & write_data_q[1:0]);
    end
  end

  assign start_o     = start_q;
  assign address_o   = address_q;
  assign frames_o    = frames_q;
  assign interrupt_o = enable_q & (status_q != '0);

  always_ff @(posedge clk_i) begin
    if (read) begin
      unique case (araddr_i[5:2])
        Control: rdata_o <= {28'b0, ready_q, ~busy_q, done_q, busy_q};
        Enable:  rdata_o <= {31'b0, enable_q};
        Events:  rdata_o <= {30'b0, events_q};
        Status:  rdata_o <= {30'b0, status_q};
        Low:     rdata_o <= address_q[31:0];
        High:    rdata_o <= address_q[63:32];
        Frames:  rdata_o <= frames_q;
        Failure: rdata_o <= {31'b0, failed_q};
        default: rdata_o <= '0;
      endcase
    end
    if (!rst_ni) rvalid_o <= 1'b0;
    else         rvalid_o <= read | (rvalid_o & ~rready_i);
  end

  logic unused_address;
  assign unused_address = ^{awaddr_i[1:0], araddr_i[1:0]};

endmodule

`default_nettype wire
