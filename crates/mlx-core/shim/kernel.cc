#include "mlx-core/shim/kernel.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include "mlx-core/src/bridge/kernel.rs.h"
#include "mlx/backend/cpu/encoder.h"
#include "mlx/primitives.h"

namespace mlx_shim {
namespace {
using Vec = std::vector<array>;

// Where the values of an array are; its buffer is kept alive by MLX until the tasks of the op have run.
struct Place {
  uint8_t* data;
  mx::Shape shape;
  mx::Strides strides;
  uint8_t dtype;
  bool row_contiguous;
  int start = -1;

  explicit Place(array& a)
      : data(a.size() == 0 ? nullptr : a.data<uint8_t>()),
        shape(a.shape()),
        strides(a.strides()),
        dtype(static_cast<uint8_t>(a.dtype().val())),
        row_contiguous(a.flags().row_contiguous) {}
  View view() const {
    return {data, {shape.data(), shape.size()}, {strides.data(), strides.size()}, dtype, row_contiguous, start};
  }
};

// A share of the memory for results that were not yet computed, held until they are. MLX hands up to a hundred tasks to
// a stream before it waits, each with memory of its own: with prompts of many rows that would be most of what a model
// takes.
class Ahead {
 public:
  // Waits until few bytes of the stream are ahead. On a CPU alone every task that was handed over will run, whatever this
  // thread does.
  Ahead(size_t bytes, int stream) : bytes(bytes), stream(stream) {
    static const bool cpu_alone = !mx::is_available(mx::Device::gpu);
    std::unique_lock lock(all().mutex);
    auto& ahead = all().bytes[stream];
    all().room.wait(lock, [&] { return !cpu_alone || ahead == 0 || ahead + bytes <= most; });
    ahead += bytes;
  }
  ~Ahead() {
    {
      std::lock_guard lock(all().mutex);
      all().bytes[stream] -= bytes;
    }
    all().room.notify_all();
  }
  Ahead(const Ahead&) = delete;

 private:
  static constexpr size_t most = size_t(4) << 20;
  struct All {
    std::mutex mutex;
    std::condition_variable room;
    // By the number of the stream; a map keeps its elements where they are.
    std::map<int, size_t> bytes;
  };
  // Never destroyed: streams may still compute while the process exits.
  static All& all() {
    static All* all = new All;
    return *all;
  }
  size_t bytes;
  int stream;
};

// Builds the fallback's ops on the stream of the kernel.
struct Scope {
  std::optional<mx::Stream> before = scoped_stream;
  explicit Scope(mx::Stream s) { scoped_stream = s; }
  ~Scope() { scoped_stream = before; }
};

// An op computed by Rust; every transform of it is that of its fallback, a graph of MLX's own ops.
class RustKernel : public mx::Primitive {
 public:
  RustKernel(mx::Stream s, rust::Box<KernelHandle> k, std::vector<int> updates)
      : mx::Primitive(s),
        kernel(std::make_shared<rust::Box<KernelHandle>>(std::move(k))),
        updates(std::move(updates)) {}

  void eval_cpu(const Vec& inputs, Vec& outputs) override {
    std::vector<Place> from, to;
    from.reserve(inputs.size());
    for (array in : inputs) {
      from.emplace_back(in);
    }
    auto& encoder = mx::cpu::get_command_encoder(stream());
    to.reserve(outputs.size());
    std::vector<bool> taken;
    size_t bytes = 0;
    for (size_t i = 0; i < outputs.size(); ++i) {
      taken.push_back(take_over(inputs, updates[i], outputs[i], outputs.size()));
      bytes += taken[i] ? 0 : outputs[i].nbytes();
    }
    auto room = std::make_shared<Ahead>(bytes, stream().index);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!taken[i]) {
        outputs[i].set_data(mx::allocator::malloc(outputs[i].nbytes()));
      }
      to.emplace_back(outputs[i]);
      to.back().start = taken[i] ? -1 : updates[i];
      encoder.set_output_array(outputs[i]);
    }
    for (const auto& in : inputs) {
      encoder.set_input_array(in);
    }
    // A throw here becomes the stream's error, which the waiting eval reports.
    encoder.dispatch([room = std::move(room), k = kernel, from = std::move(from), to = std::move(to)]() mutable {
      auto inputs = views(from);
      auto outputs = views(to);
      auto done = std::move(room);
      run_kernel(**k, {inputs.data(), inputs.size()}, {outputs.data(), outputs.size()});
    });
  }

  void eval_gpu(const Vec&, Vec&) override {
    throw std::runtime_error(std::string("[") + name() + "] the kernel has no GPU version.");
  }

  Vec vjp(const Vec& primals, const Vec& cotangents, const std::vector<int>& argnums, const Vec&) override {
    Scope scope(stream());
    return mx::vjp(of(primals, argnums), pick(primals, argnums), cotangents).second;
  }

  Vec jvp(const Vec& primals, const Vec& tangents, const std::vector<int>& argnums) override {
    Scope scope(stream());
    return mx::jvp(of(primals, argnums), pick(primals, argnums), tangents).second;
  }

  std::pair<Vec, std::vector<int>> vmap(const Vec& inputs, const std::vector<int>& axes) override {
    Scope scope(stream());
    auto outputs = mx::vmap([k = kernel](const Vec& in) { return call(k, in); }, axes)(inputs);
    std::vector<int> first(outputs.size(), 0);
    return {std::move(outputs), std::move(first)};
  }

  const char* name() const override { return kernel_name(**kernel); }

  bool is_equivalent(const mx::Primitive& other) const override {
    auto* same = dynamic_cast<const RustKernel*>(&other);
    return same != nullptr && same_kernel(**kernel, **same->kernel);
  }

  std::vector<mx::Shape> output_shapes(const Vec& inputs) override {
    std::vector<mx::Shape> shapes;
    for (const auto& spec : kernel_outputs(**kernel, {inputs.data(), inputs.size()})) {
      shapes.emplace_back(spec.dims.begin(), spec.dims.end());
    }
    return shapes;
  }

 private:
  using Handle = std::shared_ptr<rust::Box<KernelHandle>>;

  // Gives an output the memory of the input that it updates, if nobody else holds it.
  static bool take_over(const Vec& inputs, int update, array& out, size_t siblings) {
    if (update >= 0) {
      const auto& in = inputs[update];
      // As array::is_donatable, but that each of the outputs holds the inputs. An array is one shared_ptr (see base.h).
      size_t holders = reinterpret_cast<const std::shared_ptr<void>*>(&in)->use_count();
      const auto& data = in.data_shared_ptr();
      bool free = holders == siblings && data.use_count() == 1 && data->is_owned();
      if (free && in.flags().row_contiguous && in.data_size() == in.size()) {
        out.copy_shared_buffer(in);
        return true;
      }
    }
    return false;
  }
  static std::vector<View> views(const std::vector<Place>& places) {
    std::vector<View> views;
    views.reserve(places.size());
    for (const auto& place : places) {
      views.push_back(place.view());
    }
    return views;
  }
  static Vec call(const Handle& k, const Vec& inputs) {
    auto outputs = kernel_fallback(**k, {inputs.data(), inputs.size()});
    return {outputs.begin(), outputs.end()};
  }
  static Vec pick(const Vec& all, const std::vector<int>& which) {
    Vec some;
    for (int i : which) {
      some.push_back(all[i]);
    }
    return some;
  }
  // The fallback as a function of some inputs alone: packed weights and the like have no gradient to ask for.
  std::function<Vec(const Vec&)> of(const Vec& primals, const std::vector<int>& argnums) const {
    return [k = kernel, primals, argnums](const Vec& args) {
      Vec all = primals;
      for (size_t i = 0; i < argnums.size(); ++i) {
        all[argnums[i]] = args[i];
      }
      return call(k, all);
    };
  }

  Handle kernel;
  // For each output the input that it starts as, or -1.
  std::vector<int> updates;
};
} // namespace

rust::Vec<array> custom_kernel(rust::Box<KernelHandle> kernel, Arrays inputs, rust::Slice<const Spec> outputs) {
  std::vector<mx::Shape> shapes;
  std::vector<mx::Dtype> dtypes;
  std::vector<int> updates;
  for (const auto& spec : outputs) {
    shapes.emplace_back(spec.dims.begin(), spec.dims.end());
    dtypes.push_back(dtype(spec.dtype));
    updates.push_back(spec.update);
  }
  auto primitive = std::make_shared<RustKernel>(mx::to_stream(stream()), std::move(kernel), std::move(updates));
  return list(array::make_arrays(std::move(shapes), dtypes, primitive, vec(inputs)));
}
} // namespace mlx_shim
