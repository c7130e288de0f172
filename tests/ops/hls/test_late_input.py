"""Sliding windows whose input comes when it likes: what goes out must not depend on it, nor must it wait for ever."""

from __future__ import annotations

import subprocess

from xnorflow.artifact.compiler import find_compiler
from xnorflow.ops.hls.code import HLS_LIBRARY
from xnorflow.simulate.ap_types import find_ap_types

PROGRAM = """
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#define HLS_STREAM_THREAD_SAFE
#include "xnorflow_sliding_window.hpp"

typedef xnorflow::WindowShape<{shape}> Shape;
typedef hls::stream<ap_uint<8> > Stream;

void run(bool late, int frame, Stream& out) {{
  Stream in("in");
  const int beats = Shape::kRows * Shape::kColumns * 2;
  std::thread source([&] {{
    unsigned random = 12345 + frame;
    for (int beat = 0; beat < beats; ++beat) {{
      random = random * 1664525u + 1013904223u;
      if (late && random >> 30 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
      in.write(ap_uint<8>(7 * beat + frame));
    }}
  }});
  if (!late) source.join();
  xnorflow::sliding_window<Shape, 2, 2, 4, -3, {words}>(in, out);
  if (late) source.join();
  if (!in.empty()) std::printf("left\\n");
}}

int main() {{
  for (int frame = 0; frame < 20; ++frame) {{
    Stream early("early"), late("late");
    run(false, frame, early);
    run(true, frame, late);
    if (early.size() != late.size() || early.empty()) return 1;
    while (!early.empty()) if (early.read() != late.read()) return 2;
  }}
  return 0;
}}
"""


SHAPES = [("6, 5, 3, 3, 1, 1, 1, 1, 1, 1", 32), ("7, 6, 2, 3, 3, 2, 0, 0, 0, 0", 32)]


def test_windows_do_not_depend_on_when_their_input_comes(tmp_path):
    for number, (shape, words) in enumerate(SHAPES):
        source, program = tmp_path / f"late{number}.cpp", tmp_path / f"late{number}"
        source.write_text(PROGRAM.format(shape=shape, words=words), encoding="utf-8")
        subprocess.run(
            [find_compiler().program, "-std=c++14", "-O1", "-w", "-pthread", "-isystem", str(find_ap_types()),
             f"-I{HLS_LIBRARY}", str(source), "-o", str(program)],
            check=True,
        )  # fmt: skip
        done = subprocess.run([str(program)], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (0, "")
