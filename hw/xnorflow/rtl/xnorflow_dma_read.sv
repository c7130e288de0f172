// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Reads a batch of frames from memory by AXI4 bursts and streams it piece by piece.
//
// Why this structure: a burst is asked for only when there is room for all of it, so that what
// memory returns is always taken; several may be under way. Frames lie one behind the other
// without gaps, hence a batch may end within a word; pieces are counted, and what is left of the
// last word is dropped.
//
// Latency: that of xnorflow_dma_bursts, of memory, and 4 cycles.
// Interval: a word a cycle where memory gives one, a piece a cycle behind it.
// Cost: words of 64 bits, frames of 98 bytes, bursts of 16: 328 LUT + 11 RAM32M, 409 FF (yosys,
// xc7, mapped cells).

`default_nettype none

module xnorflow_dma_read #(
  // Bits of a word of memory, 8 to 1,024, a power of 2, and of an address, 13 to 64.
  parameter int unsigned DataWidth = 64,
  parameter int unsigned AddressWidth = 32,
  // Bytes of a frame, 1 to 65,536, and of a piece; pieces divide both frame and word.
  parameter int unsigned FrameBytes = 98,
  parameter int unsigned PieceBytes = 2,
  // Bits of the number of frames, 1 to 32.
  parameter int unsigned FramesWidth = 32,
  // Words of a burst at most, 2 to 256, a power of 2; at most 4 KiB.
  parameter int unsigned MaxBurst = 16
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,
  // Batch: start_i for a cycle; done_o for a cycle when the last piece has gone
  input  wire logic                    start_i,
  input  wire logic [AddressWidth-1:0] address_i,
  input  wire logic [FramesWidth-1:0]  frames_i,
  output logic                         done_o,
  output logic                         error_o,
  // AXI4 read channels; bursts are of type INCR, whole words
  output logic      [AddressWidth-1:0] araddr_o,
  output logic      [7:0]              arlen_o,
  output logic                         arvalid_o,
  input  wire logic                    arready_i,
  input  wire logic [DataWidth-1:0]    rdata_i,
  input  wire logic [1:0]              rresp_i,
  input  wire logic                    rvalid_i,
  output logic                         rready_o,
  // Stream out, least byte first
  output logic      [PieceBytes*8-1:0] data_o,
  output logic                         valid_o,
  input  wire logic                    ready_i
);

  localparam int unsigned BytesWidth = FramesWidth + $clog2(FrameBytes + 1);
  localparam int unsigned WordBytes  = DataWidth / 8;
  localparam int unsigned Room       = 2 * MaxBurst;
  localparam int unsigned RoomWidth  = $clog2(Room + 1);
  localparam int unsigned PieceShift = $clog2(PieceBytes);

  if (PieceBytes < 1 || PieceBytes != 2 ** PieceShift || WordBytes % PieceBytes != 0
      || FrameBytes % PieceBytes != 0) begin : gen_check_piece
    $error("xnorflow_dma_read: PieceBytes must divide a word and FrameBytes");
  end
  if (MaxBurst < 2) begin : gen_check_burst
    $error("xnorflow_dma_read: MaxBurst must be at least 2");
  end

  //// Bursts, while there is room ////
  logic [BytesWidth-1:0] bytes, words_left;
  logic                  bytes_valid, asked, popped;
  logic [RoomWidth-1:0]  room_q;  // words that may be asked for
  logic                  unused_left;

  assign asked       = arvalid_o & arready_i;
  assign unused_left = ^words_left;

  xnorflow_dma_bursts #(
    .DataWidth   (DataWidth),
    .AddressWidth(AddressWidth),
    .FrameBytes  (FrameBytes),
    .FramesWidth (FramesWidth),
    .MaxBurst    (MaxBurst)
  ) u_bursts (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .start_i        (start_i),
    .address_i      (address_i),
    .frames_i       (frames_i),
    .bytes_o        (bytes),
    .bytes_valid_o  (bytes_valid),
    .words_left_o   (words_left),
    .room_i         (room_q >= RoomWidth'(MaxBurst)),
    .burst_address_o(araddr_o),
    .burst_length_o (arlen_o),
    .burst_valid_o  (arvalid_o),
    .burst_ready_i  (arready_i)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      room_q <= RoomWidth'(Room);
    end else begin
      room_q <= room_q + RoomWidth'(popped)
              - (asked ? RoomWidth'(arlen_o) + RoomWidth'(1) : RoomWidth'(0));
    end
  end

  //// Words that wait, and their pieces ////
  logic [DataWidth-1:0]    word;
  logic                    word_valid, word_ready;
  logic [PieceBytes*8-1:0] piece;
  logic                    piece_valid, piece_ready;
  logic                    running_q, piece_goes, ends;
  logic [BytesWidth-1:0]   pieces_q;  // of the batch, left

  assign popped  = word_valid & word_ready;
  assign error_o = rvalid_i & rready_o & rresp_i[1];

  xnorflow_fifo #(
    .Width(DataWidth),
    .Depth(Room)
  ) u_words (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (rdata_i),
    .valid_i(rvalid_i),
    .ready_o(rready_o),
    .data_o (word),
    .valid_o(word_valid),
    .ready_i(word_ready)
  );

  // Between batches it holds what is left of the last word, which is dropped.
  xnorflow_dwc #(
    .InWidth (DataWidth),
    .OutWidth(PieceBytes * 8)
  ) u_pieces (
    .clk_i  (clk_i),
    .rst_ni (rst_ni & ~start_i),
    .data_i (word),
    .valid_i(word_valid),
    .ready_o(word_ready),
    .data_o (piece),
    .valid_o(piece_valid),
    .ready_i(piece_ready)
  );

  assign data_o      = piece;
  assign valid_o     = piece_valid & running_q;
  assign piece_ready = ready_i & running_q;
  assign piece_goes  = valid_o & ready_i;
  assign ends        = (piece_goes && pieces_q == BytesWidth'(1))
                    || (bytes_valid && bytes == '0);

  always_ff @(posedge clk_i) begin
    if (bytes_valid) pieces_q <= bytes >> PieceShift;
    else if (piece_goes) pieces_q <= pieces_q - 1'b1;
    if (!rst_ni) begin
      running_q <= 1'b0;
      done_o    <= 1'b0;
    end else begin
      running_q <= (bytes_valid & (bytes != '0)) | (running_q & ~ends);
      done_o    <= ends;
    end
  end

  logic unused_response;
  assign unused_response = rresp_i[0];

endmodule

`default_nettype wire
