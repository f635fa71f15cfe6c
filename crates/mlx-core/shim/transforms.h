#pragma once
#include "mlx-core/shim/list.h"

// Transforms of functions, traces and exported functions. The bodies need the generated header: transforms.cc and traces.cc.
namespace mlx_shim {
using Vec = std::vector<array>;
using Names = rust::Slice<const rust::String>;
struct Borrowed;
struct Kept;
struct Pair;

Pair vjp(const Borrowed& f, Arrays primals, Arrays cotangents);
Pair jvp(const Borrowed& f, Arrays primals, Arrays tangents);
Pair value_and_grad(const Borrowed& f, Arrays inputs, Ints argnums);

// The two halves of vmap: placeholders with their results, and the graph between them over a further axis.
Pair vmap_trace(const Borrowed& f, Arrays inputs, Ints axes);
rust::Vec<array> vmap_replace(Arrays inputs, const Pair& trace, Ints axes, Ints out_axes);

// A function of arrays that MLX made of one of Rust.
class Function {
 public:
  explicit Function(std::function<Vec(const Vec&)> f) : f(std::move(f)) {}
  rust::Vec<array> call(Arrays inputs) const { return list(f(vec(inputs))); }

 private:
  std::function<Vec(const Vec&)> f;
};
std::unique_ptr<Function> custom_function(rust::Box<Kept> f, bool vjp, bool jvp, bool vmap);
std::unique_ptr<Function> checkpoint(rust::Box<Kept> f);

// The graph that a function made once, built anew over other inputs. On a GPU MLX fuses it. On a CPU that would run a C++
// compiler, so the graph is only simplified.
class Trace {
 public:
  Trace(const Borrowed& f, Arrays inputs, bool shapeless);
  rust::Vec<array> replay(Arrays inputs) const;

 private:
  // Where an array comes from: its place among inputs and results of steps, or -1 - its place among the constants.
  using Source = int64_t;
  struct Step {
    array node;
    std::vector<Source> inputs;
  };
  void record(const Vec& inputs, const Vec& outputs);
  array at(const Vec& values, Source from) const { return from < 0 ? constants[-1 - from] : values[from]; }

  std::function<Vec(const Vec&)> fused;
  bool shapeless;
  std::vector<Step> steps;
  Vec constants;
  std::vector<Source> results;
};
std::unique_ptr<Trace> trace_function(const Borrowed& f, Arrays inputs, bool shapeless);
inline bool any_tracer(Arrays inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const array& a) { return a.is_tracer(); });
}
// The streams that a trace belongs to: where ops are built now, and MLX's default.
uint64_t stream_key();
void set_compile_mode(uint8_t mode);
bool compile_disabled() noexcept;

class Exporter {
 public:
  Exporter(rust::Str path, bool shapeless, rust::Str metadata);
  Exporter(const Exporter&) = delete;
  void add(const Borrowed& f, Arrays inputs, Names names, Arrays named);

 private:
  Vec run(const mx::Args& inputs, const mx::Kwargs& named) const;

  // The function of the trace that is being added.
  const Borrowed* function = nullptr;
  bool failed = false;
  mx::FunctionExporter file;
};
std::unique_ptr<Exporter> exporter(rust::Str path, bool shapeless, rust::Str metadata);

class Imported {
 public:
  explicit Imported(mx::ImportedFunction f) : f(std::move(f)) {}
  rust::Vec<array> call(Arrays inputs, Names names, Arrays named) const;
  rust::String metadata() const { return rust::String::lossy(f.metadata()); }

 private:
  mx::ImportedFunction f;
};
std::unique_ptr<Imported> import_function(rust::Str path);

rust::String export_to_dot(Arrays outputs, Names names, Arrays named);
rust::String print_graph(Arrays outputs, Names names, Arrays named);
} // namespace mlx_shim
