#include "mlx-core/shim/kernel.h"

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

  explicit Place(array& a)
      : data(a.size() == 0 ? nullptr : a.data<uint8_t>()),
        shape(a.shape()),
        strides(a.strides()),
        dtype(static_cast<uint8_t>(a.dtype().val())),
        row_contiguous(a.flags().row_contiguous) {}
  View view() const {
    return {data, {shape.data(), shape.size()}, {strides.data(), strides.size()}, dtype, row_contiguous};
  }
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
  RustKernel(mx::Stream s, rust::Box<KernelHandle> k)
      : mx::Primitive(s), kernel(std::make_shared<rust::Box<KernelHandle>>(std::move(k))) {}

  void eval_cpu(const Vec& inputs, Vec& outputs) override {
    auto& out = outputs[0];
    out.set_data(mx::allocator::malloc(out.nbytes()));
    std::vector<Place> from;
    from.reserve(inputs.size());
    for (array in : inputs) {
      from.emplace_back(in);
    }
    auto& encoder = mx::cpu::get_command_encoder(stream());
    for (const auto& in : inputs) {
      encoder.set_input_array(in);
    }
    encoder.set_output_array(out);
    // A throw here becomes the stream's error, which the waiting eval reports.
    encoder.dispatch([k = kernel, from = std::move(from), to = Place(out)]() {
      std::vector<View> views;
      views.reserve(from.size());
      for (const auto& place : from) {
        views.push_back(place.view());
      }
      run_kernel(**k, {views.data(), views.size()}, to.view());
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
    auto outputs = mx::vmap([k = kernel](const Vec& in) { return Vec{call(k, in)}; }, axes)(inputs);
    return {std::move(outputs), {0}};
  }

  const char* name() const override { return kernel_name(**kernel); }

  bool is_equivalent(const mx::Primitive& other) const override {
    auto* same = dynamic_cast<const RustKernel*>(&other);
    return same != nullptr && same_kernel(**kernel, **same->kernel);
  }

  std::vector<mx::Shape> output_shapes(const Vec& inputs) override {
    auto dims = kernel_output_shape(**kernel, {inputs.data(), inputs.size()});
    return {mx::Shape(dims.begin(), dims.end())};
  }

 private:
  using Handle = std::shared_ptr<rust::Box<KernelHandle>>;

  static array call(const Handle& k, const Vec& inputs) {
    return kernel_fallback(**k, {inputs.data(), inputs.size()});
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
      return Vec{call(k, all)};
    };
  }

  Handle kernel;
};
} // namespace

array custom_kernel(rust::Box<KernelHandle> kernel, Arrays inputs, Ints dims, uint8_t code) {
  return array(
      shape(dims),
      dtype(code),
      std::make_shared<RustKernel>(mx::to_stream(stream()), std::move(kernel)),
      vec(inputs));
}

array vector_jacobian(const Function& f, const array& x, const array& cotangent) {
  auto call = [&f](const Vec& in) { return Vec{call_function(f, in[0])}; };
  return mx::vjp(call, {x}, {cotangent}).second.at(0);
}
} // namespace mlx_shim
