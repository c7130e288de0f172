// SPDX-License-Identifier: BSD-3-Clause
//
// What the harnesses share around a verilated design: errors as exceptions, the folder that memories are read from.

#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#if defined(_WIN32)
#define XNF_EXPORT extern "C" __declspec(dllexport)
#else
#define XNF_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

// A message of the design or of Verilator's runtime, on its way to xnf_new or xnf_step.
std::string location(const char* file, int line, const char* message) {
  std::string text = message;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (file == nullptr || *file == '\0') return text;
  return std::string(file) + (line > 0 ? ":" + std::to_string(line) : "") + ": " + text;
}

// $readmemh paths are relative to the folder that the design runs in, and only looked at while it starts.
class WorkingFolder {
 public:
  explicit WorkingFolder(const char* folder) : before_(std::filesystem::current_path()) {
    if (*folder != '\0') std::filesystem::current_path(folder);
  }
  ~WorkingFolder() {
    std::error_code ignored;
    std::filesystem::current_path(before_, ignored);
  }
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;

 private:
  std::filesystem::path before_;
};

}  // namespace

// Verilator's runtime would print and exit the whole process (VL_USER_FATAL), or go on with an empty memory when a
// $readmemh file is missing (VL_USER_WARN). Here each is an error of the one simulation.
void vl_fatal(const char* file, int line, const char*, const char* message) {
  throw std::runtime_error(location(file, line, message));
}
void vl_warn(const char* file, int line, const char*, const char* message) {
  throw std::runtime_error(location(file, line, message));
}
