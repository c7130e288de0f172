// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Cuts a batch into bursts of an AXI4 address channel: no burst is longer than allowed, none goes
// over a boundary of 4 KiB.
//
// Why this structure: the bytes of a batch are a product of two numbers that is needed once, so it
// is added up bit by bit before the first burst, in as many cycles as the number of frames has
// bits. What a burst may be long is found one cycle ahead of its offer.
//
// A batch is frames_i * FrameBytes bytes from address_i on, which is a multiple of a word. A burst
// is offered only while room_i, which says that there is room, or data, for MaxBurst words or for
// all that are left.
//
// Latency: FramesWidth + 3 cycles from the start to the first burst.
// Interval: 3 cycles a burst.
// Cost: words of 64 bits, frames of 98 bytes, bursts of 16: 197 LUT, 198 FF (yosys, xc7, mapped
// cells).

`default_nettype none

module xnorflow_dma_bursts #(
  // Bits of a word, 8 to 1,024, a power of 2.
  parameter int unsigned DataWidth = 64,
  // Bits of an address, 13 to 64.
  parameter int unsigned AddressWidth = 32,
  // Bytes of a frame, 1 to 65,536, and bits of the number of frames, 1 to 32.
  parameter int unsigned FrameBytes = 98,
  parameter int unsigned FramesWidth = 32,
  // Words of a burst at most, 1 to 256, a power of 2; at most 4 KiB.
  parameter int unsigned MaxBurst = 16,
  // Follows: bits of the number of bytes of a batch.
  localparam int unsigned BytesWidth = FramesWidth + $clog2(FrameBytes + 1)
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,
  // Batch: start_i for a cycle while idle
  input  wire logic                    start_i,
  input  wire logic [AddressWidth-1:0] address_i,
  input  wire logic [FramesWidth-1:0]  frames_i,
  // The batch's bytes, from bytes_valid_o on, which comes for a cycle before the first burst
  output logic      [BytesWidth-1:0]   bytes_o,
  output logic                         bytes_valid_o,
  // Words that bursts have not been offered for
  output logic      [BytesWidth-1:0]   words_left_o,
  // Bursts: address, words - 1
  input  wire logic                    room_i,
  output logic      [AddressWidth-1:0] burst_address_o,
  output logic      [7:0]              burst_length_o,
  output logic                         burst_valid_o,
  input  wire logic                    burst_ready_i
);

  localparam int unsigned WordBytes = DataWidth / 8;
  localparam int unsigned WordShift = (WordBytes > 1) ? $clog2(WordBytes) : 0;
  // Words of 4 KiB.
  localparam int unsigned PageShift = 12 - WordShift;
  localparam int unsigned CountWidth = $clog2(FramesWidth + 1);

  if (DataWidth < 8 || DataWidth > 1024 || DataWidth != 8 * 2 ** WordShift) begin : gen_check_data
    $error("xnorflow_dma_bursts: DataWidth must be 8 to 1,024, a power of 2");
  end
  if (AddressWidth < 13 || AddressWidth > 64) begin : gen_check_address
    $error("xnorflow_dma_bursts: AddressWidth must be 13 to 64");
  end
  if (FrameBytes < 1 || FrameBytes > 65536 || FramesWidth < 1 || FramesWidth > 32)
  begin : gen_check_frames
    $error("xnorflow_dma_bursts: FrameBytes must be 1 to 65,536, FramesWidth 1 to 32");
  end
  if (MaxBurst < 1 || MaxBurst > 256 || MaxBurst != 2 ** $clog2(MaxBurst)
      || MaxBurst * WordBytes > 4096) begin : gen_check_burst
    $error("xnorflow_dma_bursts: MaxBurst must be 1 to 256, a power of 2, and at most 4 KiB");
  end

  //// Bytes of the batch: FrameBytes times the number of frames, a bit a cycle ////
  logic [BytesWidth-1:0]  bytes_q, part_q;
  logic [FramesWidth-1:0] frames_q;
  logic [CountWidth-1:0]  bits_q;
  logic                   adding_q, added_q;

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      bytes_q  <= '0;
      part_q   <= BytesWidth'(FrameBytes);
      frames_q <= frames_i;
      bits_q   <= CountWidth'(FramesWidth - 1);
    end else if (adding_q) begin
      if (frames_q[0]) bytes_q <= bytes_q + part_q;
      part_q   <= part_q << 1;
      frames_q <= frames_q >> 1;
      bits_q   <= bits_q - 1'b1;
    end
    if (!rst_ni) begin
      adding_q <= 1'b0;
      added_q  <= 1'b0;
    end else begin
      adding_q <= start_i | (adding_q & (bits_q != '0));
      added_q  <= adding_q & (bits_q == '0);
    end
  end

  assign bytes_o       = bytes_q;
  assign bytes_valid_o = added_q;

  //// Bursts ////
  logic [AddressWidth-1:0] address_q;
  logic [BytesWidth-1:0]   left_q;
  logic [8:0]              length_q;  // words of the next burst
  logic                    known_q, valid_q;
  logic [PageShift:0]      to_page;   // words up to the next boundary
  logic [8:0]              within_page, length_d;
  logic                    goes;

  if (PageShift > 0) begin : gen_page
    localparam logic [PageShift:0] Page = (PageShift+1)'(1) << PageShift;
    assign to_page = Page - {1'b0, address_q[WordShift +: PageShift]};
  end else begin : gen_word_is_page
    assign to_page = 1'b1;
  end

  always_comb begin
    within_page = (to_page >= (PageShift+1)'(MaxBurst)) ? 9'(MaxBurst) : 9'(to_page);
    length_d    = (left_q < BytesWidth'(within_page)) ? 9'(left_q) : within_page;
  end

  assign goes            = burst_valid_o & burst_ready_i;
  assign words_left_o    = left_q;
  assign burst_valid_o   = valid_q;
  assign burst_address_o = address_q;
  assign burst_length_o  = 8'(length_q - 1'b1);

  always_ff @(posedge clk_i) begin
    if (start_i) address_q <= address_i;
    else if (goes) address_q <= address_q + (AddressWidth'(length_q) << WordShift);

    if (added_q) left_q <= BytesWidth'((bytes_q + BytesWidth'(WordBytes - 1)) >> WordShift);
    else if (goes) left_q <= left_q - BytesWidth'(length_q);

    length_q <= valid_q ? length_q : length_d;
    if (!rst_ni || start_i || added_q) begin
      known_q <= 1'b0;
      valid_q <= 1'b0;
      if (!rst_ni || start_i) left_q <= '0;
    end else begin
      // A cycle after the address and what is left have changed the length belongs to them.
      known_q <= ~goes;
      valid_q <= (valid_q & ~burst_ready_i) | (~valid_q & known_q & room_i & (left_q != '0));
    end
  end

endmodule

`default_nettype wire
