// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Sliding window generator that gives a whole window in one beat: the pixels of a map come one by
// one in raster order, and each window leaves as soon as its last pixel has come.
//
// Why this structure: one memory word a column holds the pixels of the rows above, and a register
// for each position of the window shifts by one column with each pixel, so that nothing is read
// twice. A pixel waits in front of the window in two registers, which keeps ready_o free of ready_i
// while a window a cycle goes through.
//
// Several windows that are neighbors in a row leave in one beat, the first one in the low bits: the
// register then holds all of their columns. Pixel (i, j) of window m, i the row, is at bits
// ((m*KernelRows + i)*KernelColumns + j)*Width and up.
//
// Latency: 2 cycles from the last pixel of a beat's windows.
// Interval: Rows * Columns cycles a frame, if no window waits.
// Cost: 4 LUT for six bits of the rows above and 32 columns, a LUT a bit of a pixel, and about 40;
// (KernelRows * (KernelColumns + (Windows-1) * StrideColumns) + 2) * Width FF.

`default_nettype none

module xnorflow_swg_parallel #(
  // Rows and columns of a map, at least those of a window.
  parameter int unsigned Rows = 8,
  parameter int unsigned Columns = 8,
  // Bits of a pixel, >= 1.
  parameter int unsigned Width = 8,
  // Rows and columns of a window, >= 1; at least two of them.
  parameter int unsigned KernelRows = 3,
  parameter int unsigned KernelColumns = 3,
  // Rows and columns from one window to the next, >= 1.
  parameter int unsigned StrideRows = 1,
  parameter int unsigned StrideColumns = 1,
  // Windows of a beat, >= 1; divides the windows of a row.
  parameter int unsigned Windows = 1,
  // Follows: bits of a window, and of a beat.
  localparam int unsigned WindowWidth = KernelRows * KernelColumns * Width,
  localparam int unsigned BeatWidth   = Windows * WindowWidth
) (
  input  wire logic                 clk_i,
  input  wire logic                 rst_ni,
  // Pixels
  input  wire logic [Width-1:0]     data_i,
  input  wire logic                 valid_i,
  output logic                      ready_o,
  // Windows
  output logic      [BeatWidth-1:0] data_o,
  output logic                      valid_o,
  input  wire logic                 ready_i
);

  if (Width < 1) begin : gen_check_width
    $error("xnorflow_swg_parallel: Width must be at least 1");
  end
  if (KernelRows < 1 || KernelColumns < 1 || KernelRows * KernelColumns < 2)
  begin : gen_check_kernel
    $error("xnorflow_swg_parallel: a window must have at least two pixels");
  end
  if (Rows < KernelRows || Columns < KernelColumns) begin : gen_check_map
    $error("xnorflow_swg_parallel: a window must fit into the map");
  end
  if (StrideRows < 1 || StrideColumns < 1) begin : gen_check_stride
    $error("xnorflow_swg_parallel: StrideRows and StrideColumns must be at least 1");
  end

  if (Windows < 1) begin : gen_check_windows
    $error("xnorflow_swg_parallel: Windows must be at least 1");
  end else if (StrideColumns > 0 && Columns >= KernelColumns) begin : gen_check_row
    if (((Columns - KernelColumns) / StrideColumns + 1) % Windows != 0) begin : gen_check_divides
      $error("xnorflow_swg_parallel: Windows must divide the windows of a row");
    end
  end

  // Columns that the windows of a beat span, and from one beat to the next.
  localparam int unsigned Step = (Windows > 0) ? Windows * StrideColumns : 1;
  localparam int unsigned Span = KernelColumns + Step - StrideColumns;

  localparam int unsigned ColumnWidth = (Columns > 1) ? $clog2(Columns) : 1;
  localparam int unsigned RowWidth    = (Rows > 1) ? $clog2(Rows) : 1;
  localparam logic [ColumnWidth-1:0] LastColumn = ColumnWidth'(Columns - 1);
  localparam logic [RowWidth-1:0]    LastRow    = RowWidth'(Rows - 1);

  logic [Width-1:0] pixel;
  logic             pixel_valid, shift;

  xnorflow_fifo #(
    .Width(Width),
    .Depth(2)
  ) u_pixels (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .data_i (data_i),
    .valid_i(valid_i),
    .ready_o(ready_o),
    .data_o (pixel),
    .valid_o(pixel_valid),
    .ready_i(shift)
  );

  //// Where the pixel stands, and how many more until one ends the windows of a beat ////
  localparam int unsigned WaitColumns = (Span > Step) ? Span : Step;
  localparam int unsigned WaitRows    = (KernelRows > StrideRows) ? KernelRows : StrideRows;
  localparam int unsigned AcrossWidth = (WaitColumns > 1) ? $clog2(WaitColumns) : 1;
  localparam int unsigned DownWidth   = (WaitRows > 1) ? $clog2(WaitRows) : 1;

  logic [ColumnWidth-1:0] column_d, column_q;
  logic [RowWidth-1:0]    row_d, row_q;
  logic [AcrossWidth-1:0] across_d, across_q;
  logic [DownWidth-1:0]   down_d, down_q;
  logic                   valid_d, valid_q, last_column;

  assign shift       = pixel_valid & (~valid_q | ready_i);
  assign last_column = column_q == LastColumn;
  assign valid_d     = shift ? (across_q == '0 && down_q == '0) : (valid_q & ~ready_i);
  assign valid_o     = valid_q;

  always_comb begin
    column_d = column_q;
    row_d    = row_q;
    across_d = across_q;
    down_d   = down_q;
    if (shift) begin
      column_d = last_column ? '0 : column_q + 1'b1;
      across_d = (across_q == '0) ? AcrossWidth'(Step - 1) : across_q - 1'b1;
      if (last_column) begin
        across_d = AcrossWidth'(Span - 1);
        row_d    = (row_q == LastRow) ? '0 : row_q + 1'b1;
        down_d   = (down_q == '0) ? DownWidth'(StrideRows - 1) : down_q - 1'b1;
        if (row_q == LastRow) down_d = DownWidth'(KernelRows - 1);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      column_q <= '0;
      row_q    <= '0;
      across_q <= AcrossWidth'(Span - 1);
      down_q   <= DownWidth'(KernelRows - 1);
      valid_q  <= 1'b0;
    end else begin
      column_q <= column_d;
      row_q    <= row_d;
      across_q <= across_d;
      down_q   <= down_d;
      valid_q  <= valid_d;
    end
  end

  //// A column of the windows: the rows above from memory, the pixel below them ////
  logic [KernelRows*Width-1:0] column;

  if (KernelRows > 1) begin : gen_rows
    logic [(KernelRows-1)*Width-1:0] above [Columns];

    assign column = {pixel, above[column_q]};
    always_ff @(posedge clk_i) begin
      if (shift) above[column_q] <= column[KernelRows*Width-1:Width];
    end
  end else begin : gen_one_row
    assign column = pixel;
  end

  //// The windows: each row shifts by one column ////
  for (genvar i = 0; i < KernelRows; i++) begin : gen_window
    localparam int unsigned RowBits    = Span * Width;
    localparam int unsigned WindowBits = KernelColumns * Width;  // of a window's row
    logic [RowBits-1:0] window_d, window_q;

    if (Span > 1) begin : gen_shift
      assign window_d = {column[i*Width +: Width], window_q[RowBits-1:Width]};
    end else begin : gen_no_shift
      assign window_d = column[i*Width +: Width];
    end
    always_ff @(posedge clk_i) begin
      if (shift) window_q <= window_d;
    end
    for (genvar m = 0; m < Windows; m++) begin : gen_row
      assign data_o[m*WindowWidth + i*WindowBits +: WindowBits] =
        window_q[m*StrideColumns*Width +: WindowBits];
    end
  end

endmodule

`default_nettype wire
