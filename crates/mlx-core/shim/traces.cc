// What is traced once: compiled functions, exported ones, and graphs to look at.
#include <atomic>
#include <cstdlib>
#include <iterator>
#include <map>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "mlx-core/shim/transforms.h"
#include "mlx-core/src/bridge/transforms.rs.h"
#include "mlx/graph_utils.h"
#include "mlx/primitives.h"

namespace mlx_shim {
namespace {
// MLX has no way to ask for it.
std::atomic<mx::CompileMode>& mode() {
  static std::atomic<mx::CompileMode> mode =
      std::getenv("MLX_DISABLE_COMPILE") ? mx::CompileMode::disabled : mx::CompileMode::enabled;
  return mode;
}

mx::Kwargs by_name(Names names, Arrays named) {
  mx::Kwargs map;
  for (size_t i = 0; i < names.size(); ++i) {
    map.insert({std::string(names[i]), named[i]});
  }
  return map;
}

mx::NodeNamer namer(Names names, Arrays named) {
  mx::NodeNamer namer;
  for (size_t i = 0; i < names.size(); ++i) {
    namer.set_name(named[i], std::string(names[i]));
  }
  return namer;
}
} // namespace

Trace::Trace(const Borrowed& f, Arrays inputs, bool shapeless) : shapeless(shapeless) {
  Vec from, to;
  std::function<Vec(const Vec&)> call = [&](const Vec& x) {
    auto outputs = call_borrowed(f, {x.data(), x.size()});
    from = x;
    to.assign(outputs.begin(), outputs.end());
    return to;
  };
  auto gpu = [](mx::Device device) { return device == mx::Device::gpu; };
  if (gpu(mx::default_device()) && gpu(mx::to_stream(stream()).device)) {
    // MLX traces at the first call, which is here; afterwards the closure is gone.
    auto here = std::make_shared<bool>(true);
    fused = mx::compile(
        [here, &call](const Vec& x) {
          if (!*here) {
            throw std::runtime_error("[compile] MLX asked for a second trace of the same inputs.");
          }
          return call(x);
        },
        shapeless);
    fused(vec(inputs));
    *here = false;
    return;
  }
  // MLX's compile asks for a C++ compiler even where it would not use it. An export traces and simplifies in the same way,
  // and is left when it would begin to write.
  struct Traced {};
  mx::ExportCallback leave = [](const mx::ExportCallbackInput&) { throw Traced(); };
  try {
    mx::export_function(leave, call, vec(inputs), shapeless);
  } catch (const Traced&) {
  }
  record(from, to);
}

void Trace::record(const Vec& inputs, const Vec& outputs) {
  std::unordered_map<uintptr_t, Source> places;
  std::unordered_map<uintptr_t, bool> varies;
  Source next = 0;
  for (const auto& in : inputs) {
    places.insert({in.id(), next++});
    varies.insert({in.id(), true});
  }
  auto place = [&](const array& a) {
    auto [it, added] = places.insert({a.id(), -1 - static_cast<Source>(constants.size())});
    if (added) {
      constants.push_back(a);
    }
    return it->second;
  };
  // What does not depend on the inputs is kept as it is: computed once.
  std::function<bool(const array&)> visit = [&](const array& a) {
    if (auto it = varies.find(a.id()); it != varies.end()) {
      return it->second;
    }
    bool any = false;
    for (const auto& in : a.inputs()) {
      any |= visit(in);
    }
    for (const auto& out : a.outputs()) {
      varies.insert({out.id(), any});
      if (any) {
        places.insert({out.id(), next++});
      }
    }
    if (any) {
      Step step{a, {}};
      for (const auto& in : a.inputs()) {
        step.inputs.push_back(place(in));
      }
      steps.push_back(std::move(step));
    }
    return any;
  };
  for (const auto& out : outputs) {
    visit(out);
    results.push_back(place(out));
  }
}

rust::Vec<array> Trace::replay(Arrays inputs) const {
  if (fused) {
    return list(fused(vec(inputs)));
  }
  Vec values = vec(inputs);
  for (const auto& [node, sources] : steps) {
    Vec in;
    in.reserve(sources.size());
    for (auto from : sources) {
      in.push_back(at(values, from));
    }
    if (node.siblings().empty()) {
      auto shape = shapeless ? node.primitive().output_shapes(in).at(0) : node.shape();
      values.emplace_back(std::move(shape), node.dtype(), node.primitive_ptr(), std::move(in));
      continue;
    }
    std::vector<mx::Shape> shapes;
    std::vector<mx::Dtype> dtypes;
    for (const auto& out : node.outputs()) {
      shapes.push_back(out.shape());
      dtypes.push_back(out.dtype());
    }
    if (shapeless) {
      shapes = node.primitive().output_shapes(in);
    }
    auto outputs = array::make_arrays(std::move(shapes), dtypes, node.primitive_ptr(), in);
    values.insert(values.end(), outputs.begin(), outputs.end());
  }
  rust::Vec<array> outputs;
  outputs.reserve(results.size());
  for (auto from : results) {
    outputs.push_back(at(values, from));
  }
  return outputs;
}

std::unique_ptr<Trace> trace_function(const Borrowed& f, Arrays inputs, bool shapeless) {
  return std::make_unique<Trace>(f, inputs, shapeless);
}

uint64_t stream_key() {
  auto index = [](mx::Stream s) { return static_cast<uint32_t>(s.index); };
  uint64_t ours = index(mx::to_stream(stream()));
  return ours << 32 | index(mx::default_stream(mx::default_device()));
}

void set_compile_mode(uint8_t code) {
  mode() = static_cast<mx::CompileMode>(code);
  mx::set_compile_mode(mode());
}
bool compile_disabled() noexcept { return mode() == mx::CompileMode::disabled; }

Exporter::Exporter(rust::Str path, bool shapeless, rust::Str metadata)
    : file(mx::exporter(
          str(path),
          [this](const mx::Args& inputs, const mx::Kwargs& named) { return run(inputs, named); },
          shapeless,
          str(metadata))) {}

Vec Exporter::run(const mx::Args& inputs, const mx::Kwargs& named) const {
  Vec all = inputs;
  for (const auto& [_, value] : std::map<std::string, array>(named.begin(), named.end())) {
    all.push_back(value);
  }
  auto outputs = call_borrowed(*function, {all.data(), all.size()});
  return {outputs.begin(), outputs.end()};
}

void Exporter::add(const Borrowed& f, Arrays inputs, Names names, Arrays named) {
  // MLX's table of traces then has an entry without inputs, which it would read as if it had them.
  if (failed) {
    throw std::runtime_error("[export_function] An earlier trace failed, so the file is not complete.");
  }
  failed = true;
  function = &f;
  file(vec(inputs), by_name(names, named));
  failed = false;
}

std::unique_ptr<Exporter> exporter(rust::Str path, bool shapeless, rust::Str metadata) {
  return std::make_unique<Exporter>(path, shapeless, metadata);
}

rust::Vec<array> Imported::call(Arrays inputs, Names names, Arrays named) const {
  auto outputs = f(vec(inputs), by_name(names, named));
  // MLX gives what it reads the first stream of the device, which may be another thread's. These primitives are ours alone.
  std::unordered_set<uintptr_t> seen;
  for (const auto& given : {inputs, named}) {
    std::transform(given.begin(), given.end(), std::inserter(seen, seen.end()), [](const array& a) { return a.id(); });
  }
  std::function<void(const array&)> adopt = [&](const array& a) {
    if (!seen.insert(a.id()).second || !a.has_primitive()) {
      return;
    }
    auto& theirs = const_cast<mx::Stream&>(a.primitive().stream());
    auto scoped = scoped_stream && scoped_stream->device == theirs.device;
    theirs = scoped ? *scoped_stream : mx::default_stream(theirs.device);
    for (const auto& in : a.inputs()) {
      adopt(in);
    }
  };
  for (const auto& out : outputs) {
    adopt(out);
  }
  return list(outputs);
}

std::unique_ptr<Imported> import_function(rust::Str path) {
  return std::make_unique<Imported>(mx::import_function(str(path)));
}

rust::String export_to_dot(Arrays outputs, Names names, Arrays named) {
  std::ostringstream os;
  mx::export_to_dot(os, namer(names, named), vec(outputs));
  return rust::String::lossy(os.str());
}

rust::String print_graph(Arrays outputs, Names names, Arrays named) {
  std::ostringstream os;
  mx::print_graph(os, namer(names, named), vec(outputs));
  return rust::String::lossy(os.str());
}
} // namespace mlx_shim
