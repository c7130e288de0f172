// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Writes a stream of pieces to memory by AXI4 bursts, as a batch of frames without gaps.
//
// Why this structure: a burst is offered only when all of its words are there, so that it never
// holds the memory up. Pieces are counted: behind the last one the word that it is in is filled
// up, and the strobes of that word name the bytes that belong to the batch. The batch is done when
// memory has answered all bursts.
//
// Latency: 4 cycles and that of memory from the last piece to done_o.
// Interval: a piece a cycle, a word a cycle where memory takes one.
// Cost: words of 64 bits, frames of 98 bytes, bursts of 16: 392 LUT + 11 RAM32M, 465 FF (yosys,
// xc7, mapped cells).

`default_nettype none

module xnorflow_dma_write #(
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
  // Batch: start_i for a cycle; done_o for a cycle when memory has all of it
  input  wire logic                    start_i,
  input  wire logic [AddressWidth-1:0] address_i,
  input  wire logic [FramesWidth-1:0]  frames_i,
  output logic                         done_o,
  output logic                         error_o,
  // AXI4 write channels; bursts are of type INCR, whole words
  output logic      [AddressWidth-1:0] awaddr_o,
  output logic      [7:0]              awlen_o,
  output logic                         awvalid_o,
  input  wire logic                    awready_i,
  output logic      [DataWidth-1:0]    wdata_o,
  output logic      [DataWidth/8-1:0]  wstrb_o,
  output logic                         wlast_o,
  output logic                         wvalid_o,
  input  wire logic                    wready_i,
  input  wire logic [1:0]              bresp_i,
  input  wire logic                    bvalid_i,
  output logic                         bready_o,
  // Stream in, least byte first
  input  wire logic [PieceBytes*8-1:0] data_i,
  input  wire logic                    valid_i,
  output logic                         ready_o
);

  localparam int unsigned BytesWidth = FramesWidth + $clog2(FrameBytes + 1);
  localparam int unsigned WordBytes  = DataWidth / 8;
  localparam int unsigned Ratio      = (PieceBytes > 0) ? WordBytes / PieceBytes : 1;
  localparam int unsigned RatioWidth = (Ratio > 1) ? $clog2(Ratio) : 1;
  localparam int unsigned LastWidth  = (WordBytes > 1) ? $clog2(WordBytes) : 1;
  localparam int unsigned Held       = 2 * MaxBurst;
  localparam int unsigned HeldWidth  = $clog2(Held + 1);
  localparam int unsigned PieceShift = $clog2(PieceBytes);

  if (PieceBytes < 1 || PieceBytes != 2 ** PieceShift || WordBytes % PieceBytes != 0
      || FrameBytes % PieceBytes != 0) begin : gen_check_piece
    $error("xnorflow_dma_write: PieceBytes must divide a word and FrameBytes");
  end
  if (MaxBurst < 2) begin : gen_check_burst
    $error("xnorflow_dma_write: MaxBurst must be at least 2");
  end

  //// Pieces of the batch, and those that fill its last word up ////
  logic [BytesWidth-1:0] bytes, words_left, pieces_q;
  logic                  bytes_valid, piece_valid, piece_ready, piece_goes;
  logic                  filling_q, running_q;
  logic [RatioWidth-1:0] place_q;  // of the piece in its word

  assign piece_valid = (running_q & valid_i) | filling_q;
  assign ready_o     = running_q & piece_ready;
  assign piece_goes  = piece_valid & piece_ready;

  always_ff @(posedge clk_i) begin
    if (bytes_valid) pieces_q <= bytes >> PieceShift;
    else if (piece_goes && running_q) pieces_q <= pieces_q - 1'b1;
    if (!rst_ni) begin
      running_q <= 1'b0;
      filling_q <= 1'b0;
      place_q   <= '0;
    end else begin
      if (piece_goes) place_q <= (place_q == RatioWidth'(Ratio - 1)) ? '0 : place_q + 1'b1;
      if (bytes_valid) running_q <= bytes != '0;
      else if (piece_goes && pieces_q == BytesWidth'(1)) running_q <= 1'b0;
      if (piece_goes) begin
        filling_q <= (filling_q || pieces_q == BytesWidth'(1))
                  && place_q != RatioWidth'(Ratio - 1);
      end
    end
  end

  //// Words that wait ////
  logic [DataWidth-1:0] word;
  logic                 word_valid, word_ready, word_goes, data_valid;
  logic [DataWidth-1:0] fifo_data;

  xnorflow_dwc #(
    .InWidth (PieceBytes * 8),
    .OutWidth(DataWidth)
  ) u_pieces (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data_i),
    .valid_i(piece_valid),
    .ready_o(piece_ready),
    .data_o (word),
    .valid_o(word_valid),
    .ready_i(word_ready)
  );

  xnorflow_fifo #(
    .Width(DataWidth),
    .Depth(Held)
  ) u_words (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (word),
    .valid_i(word_valid),
    .ready_o(word_ready),
    .data_o (fifo_data),
    .valid_o(data_valid),
    .ready_i(word_goes)
  );

  //// Bursts of words that are there ////
  logic [HeldWidth-1:0] held_q;  // words that no burst has been offered for
  logic                 offered, enough;
  logic                 data_busy;  // a burst's data is not all out

  assign offered = awvalid_o & awready_i;
  assign enough  = held_q >= HeldWidth'(MaxBurst) || BytesWidth'(held_q) == words_left;

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
    .room_i         (enough & ~data_busy),
    .burst_address_o(awaddr_o),
    .burst_length_o (awlen_o),
    .burst_valid_o  (awvalid_o),
    .burst_ready_i  (awready_i)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_q <= '0;
    end else begin
      held_q <= held_q + HeldWidth'(word_valid & word_ready)
              - (offered ? HeldWidth'(awlen_o) + HeldWidth'(1) : HeldWidth'(0));
    end
  end

  //// Data of one burst after the other ////
  logic                  sending_q, final_q;
  logic [7:0]            beats_q;         // of the burst, left, less one
  logic [LastWidth-1:0]  last_bytes_q;    // of the batch's last word; 0: all
  logic                  last_word, strobed;

  assign data_busy = sending_q | awvalid_o;
  assign wvalid_o  = sending_q & data_valid;
  assign wdata_o   = fifo_data;
  assign wlast_o   = beats_q == '0;
  assign word_goes = wvalid_o & wready_i;
  assign last_word = wlast_o & final_q;
  assign strobed   = last_word && last_bytes_q != '0;

  assign wstrb_o   = strobed ? ~({WordBytes{1'b1}} << last_bytes_q) : '1;

  always_ff @(posedge clk_i) begin
    if (bytes_valid) last_bytes_q <= (WordBytes > 1) ? LastWidth'(bytes) : '0;
    if (offered) begin
      beats_q <= awlen_o;
      final_q <= words_left == BytesWidth'(awlen_o) + BytesWidth'(1);
    end else if (word_goes) begin
      beats_q <= beats_q - 1'b1;
    end
    if (!rst_ni) sending_q <= 1'b0;
    else         sending_q <= offered | (sending_q & ~(word_goes & wlast_o));
  end

  //// Answers ////
  logic [BytesWidth-1:0] open_q;      // bursts that memory has not answered
  logic                  writing_q;   // the batch is not done
  logic                  bytes_valid_q;  // words_left is known a cycle behind bytes
  logic                  ends, answered;

  assign bready_o = 1'b1;
  assign answered = bvalid_i & bready_o;
  assign error_o  = answered & bresp_i[1];
  assign ends     = writing_q & ~running_q & ~filling_q & ~data_busy & ~word_valid
                  & (held_q == '0) & (words_left == '0) & (open_q == '0);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q        <= '0;
      writing_q     <= 1'b0;
      done_o        <= 1'b0;
      bytes_valid_q <= 1'b0;
    end else begin
      bytes_valid_q <= bytes_valid;
      open_q        <= open_q + BytesWidth'(offered) - BytesWidth'(answered);
      writing_q     <= bytes_valid_q | (writing_q & ~ends);
      done_o        <= ends;
    end
  end

  logic unused_response;
  assign unused_response = bresp_i[0];

endmodule

`default_nettype wire
