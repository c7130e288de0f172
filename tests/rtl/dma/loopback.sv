// Test design: what is read from memory goes through a FIFO and is written back, with the ports of a shell.

`default_nettype none

module loopback #(
  parameter int unsigned DataWidth = 64,
  parameter int unsigned FrameBytes = 98,
  parameter int unsigned PieceBytes = 2,
  parameter int unsigned MaxBurst = 16,
  localparam int unsigned AddressWidth = 32
) (
  input  wire logic                    ap_clk,
  input  wire logic                    ap_rst_n,
  input  wire logic [5:0]              s_axi_control_0_AWADDR, s_axi_control_1_AWADDR,
  input  wire logic                    s_axi_control_0_AWVALID, s_axi_control_1_AWVALID,
  output logic                         s_axi_control_0_AWREADY, s_axi_control_1_AWREADY,
  input  wire logic [31:0]             s_axi_control_0_WDATA, s_axi_control_1_WDATA,
  input  wire logic [3:0]              s_axi_control_0_WSTRB, s_axi_control_1_WSTRB,
  input  wire logic                    s_axi_control_0_WVALID, s_axi_control_1_WVALID,
  output logic                         s_axi_control_0_WREADY, s_axi_control_1_WREADY,
  output logic [1:0]                   s_axi_control_0_BRESP, s_axi_control_1_BRESP,
  output logic                         s_axi_control_0_BVALID, s_axi_control_1_BVALID,
  input  wire logic                    s_axi_control_0_BREADY, s_axi_control_1_BREADY,
  input  wire logic [5:0]              s_axi_control_0_ARADDR, s_axi_control_1_ARADDR,
  input  wire logic                    s_axi_control_0_ARVALID, s_axi_control_1_ARVALID,
  output logic                         s_axi_control_0_ARREADY, s_axi_control_1_ARREADY,
  output logic [31:0]                  s_axi_control_0_RDATA, s_axi_control_1_RDATA,
  output logic [1:0]                   s_axi_control_0_RRESP, s_axi_control_1_RRESP,
  output logic                         s_axi_control_0_RVALID, s_axi_control_1_RVALID,
  input  wire logic                    s_axi_control_0_RREADY, s_axi_control_1_RREADY,
  output logic [AddressWidth-1:0]      m_axi_gmem_0_ARADDR, m_axi_gmem_1_AWADDR,
  output logic [7:0]                   m_axi_gmem_0_ARLEN, m_axi_gmem_1_AWLEN,
  output logic                         m_axi_gmem_0_ARVALID, m_axi_gmem_1_AWVALID,
  input  wire logic                    m_axi_gmem_0_ARREADY, m_axi_gmem_1_AWREADY,
  input  wire logic [DataWidth-1:0]    m_axi_gmem_0_RDATA,
  input  wire logic [1:0]              m_axi_gmem_0_RRESP, m_axi_gmem_1_BRESP,
  input  wire logic                    m_axi_gmem_0_RLAST,
  input  wire logic                    m_axi_gmem_0_RVALID, m_axi_gmem_1_BVALID,
  output logic                         m_axi_gmem_0_RREADY, m_axi_gmem_1_BREADY,
  output logic [DataWidth-1:0]         m_axi_gmem_1_WDATA,
  output logic [DataWidth/8-1:0]       m_axi_gmem_1_WSTRB,
  output logic                         m_axi_gmem_1_WLAST,
  output logic                         m_axi_gmem_1_WVALID,
  input  wire logic                    m_axi_gmem_1_WREADY
);

  localparam int unsigned PieceWidth = 8 * PieceBytes;

  logic [PieceWidth-1:0] in_data, out_data;
  logic                  in_valid, in_ready, out_valid, out_ready;

`define CONTROL(N) \
  logic        start_``N, done_``N, error_``N, interrupt_``N; \
  logic [63:0] address_``N; \
  logic [31:0] frames_``N; \
  xnorflow_dma_control u_control_``N ( \
    .clk_i(ap_clk), .rst_ni(ap_rst_n), \
    .awaddr_i(s_axi_control_``N``_AWADDR), .awvalid_i(s_axi_control_``N``_AWVALID), \
    .awready_o(s_axi_control_``N``_AWREADY), .wdata_i(s_axi_control_``N``_WDATA), \
    .wstrb_i(s_axi_control_``N``_WSTRB), .wvalid_i(s_axi_control_``N``_WVALID), \
    .wready_o(s_axi_control_``N``_WREADY), .bresp_o(s_axi_control_``N``_BRESP), \
    .bvalid_o(s_axi_control_``N``_BVALID), .bready_i(s_axi_control_``N``_BREADY), \
    .araddr_i(s_axi_control_``N``_ARADDR), .arvalid_i(s_axi_control_``N``_ARVALID), \
    .arready_o(s_axi_control_``N``_ARREADY), .rdata_o(s_axi_control_``N``_RDATA), \
    .rresp_o(s_axi_control_``N``_RRESP), .rvalid_o(s_axi_control_``N``_RVALID), \
    .rready_i(s_axi_control_``N``_RREADY), .interrupt_o(interrupt_``N), \
    .start_o(start_``N), .address_o(address_``N), .frames_o(frames_``N), \
    .done_i(done_``N), .error_i(error_``N));
  `CONTROL(0)
  `CONTROL(1)

  xnorflow_dma_read #(
    .DataWidth(DataWidth), .AddressWidth(AddressWidth), .FrameBytes(FrameBytes), .PieceBytes(PieceBytes),
    .MaxBurst(MaxBurst)
  ) u_read (
    .clk_i(ap_clk), .rst_ni(ap_rst_n),
    .start_i(start_0), .address_i(address_0[AddressWidth-1:0]), .frames_i(frames_0), .done_o(done_0), .error_o(error_0),
    .araddr_o(m_axi_gmem_0_ARADDR), .arlen_o(m_axi_gmem_0_ARLEN), .arvalid_o(m_axi_gmem_0_ARVALID),
    .arready_i(m_axi_gmem_0_ARREADY), .rdata_i(m_axi_gmem_0_RDATA), .rresp_i(m_axi_gmem_0_RRESP),
    .rvalid_i(m_axi_gmem_0_RVALID), .rready_o(m_axi_gmem_0_RREADY),
    .data_o(in_data), .valid_o(in_valid), .ready_i(in_ready)
  );

  xnorflow_fifo #(.Width(PieceWidth), .Depth(5)) u_fifo (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .data_i(in_data), .valid_i(in_valid), .ready_o(in_ready),
    .data_o(out_data), .valid_o(out_valid), .ready_i(out_ready)
  );

  xnorflow_dma_write #(
    .DataWidth(DataWidth), .AddressWidth(AddressWidth), .FrameBytes(FrameBytes), .PieceBytes(PieceBytes),
    .MaxBurst(MaxBurst)
  ) u_write (
    .clk_i(ap_clk), .rst_ni(ap_rst_n),
    .start_i(start_1), .address_i(address_1[AddressWidth-1:0]), .frames_i(frames_1), .done_o(done_1), .error_o(error_1),
    .awaddr_o(m_axi_gmem_1_AWADDR), .awlen_o(m_axi_gmem_1_AWLEN), .awvalid_o(m_axi_gmem_1_AWVALID),
    .awready_i(m_axi_gmem_1_AWREADY), .wdata_o(m_axi_gmem_1_WDATA), .wstrb_o(m_axi_gmem_1_WSTRB),
    .wlast_o(m_axi_gmem_1_WLAST), .wvalid_o(m_axi_gmem_1_WVALID), .wready_i(m_axi_gmem_1_WREADY),
    .bresp_i(m_axi_gmem_1_BRESP), .bvalid_i(m_axi_gmem_1_BVALID), .bready_o(m_axi_gmem_1_BREADY),
    .data_i(out_data), .valid_i(out_valid), .ready_o(out_ready)
  );

  wire unused = ^{interrupt_0, interrupt_1, address_0, address_1, m_axi_gmem_0_RLAST};

endmodule

`default_nettype wire
