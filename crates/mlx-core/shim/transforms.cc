#include "mlx-core/shim/transforms.h"

#include <cstring>

#include "mlx-core/src/bridge/transforms.rs.h"
#include "mlx/primitives.h"
#include "mlx/transforms_impl.h"

namespace mlx_shim {
namespace {
using Closure = std::shared_ptr<rust::Box<Kept>>;

Vec run(const Borrowed& f, const Vec& inputs) {
  auto outputs = call_borrowed(f, {inputs.data(), inputs.size()});
  return {outputs.begin(), outputs.end()};
}

Vec run(const Closure& f, Role role, const Vec& arrays, const std::vector<int>& numbers = {}) {
  auto outputs = call_kept(**f, role, {arrays.data(), arrays.size()}, {numbers.data(), numbers.size()});
  return {outputs.begin(), outputs.end()};
}

void append(Vec& to, const Vec& from) { to.insert(to.end(), from.begin(), from.end()); }

// MLX would read past the end of a shorter list.
Vec expect(Vec found, size_t count, const char* what) {
  if (found.size() != count) {
    throw std::invalid_argument(
        std::string(what) + " gave " + std::to_string(found.size()) + " arrays, not " + std::to_string(count) + ".");
  }
  return found;
}

Pair pair(const std::pair<Vec, Vec>& both) { return {list(both.first), list(both.second)}; }
} // namespace

Pair vjp(const Borrowed& f, Arrays primals, Arrays cotangents) {
  auto call = [&](const Vec& inputs) {
    auto outputs = expect(run(f, inputs), cotangents.size(), "[vjp] With a cotangent for each output, the function");
    for (auto& out : outputs) {
      // MLX gives such an output no cotangent, which would move all later ones up.
      if (out.has_primitive() && std::strcmp(out.primitive().name(), "StopGradient") == 0) {
        out = mx::copy(out, stream());
      }
    }
    return outputs;
  };
  return pair(mx::vjp(call, vec(primals), vec(cotangents)));
}

Pair jvp(const Borrowed& f, Arrays primals, Arrays tangents) {
  return pair(mx::jvp([&](const Vec& inputs) { return run(f, inputs); }, vec(primals), vec(tangents)));
}

Pair value_and_grad(const Borrowed& f, Arrays inputs, Ints argnums) {
  std::function<Vec(const Vec&)> call = [&](const Vec& inputs) {
    auto outputs = run(f, inputs);
    if (outputs.empty()) {
      throw std::invalid_argument("[value_and_grad] The function gave no loss.");
    }
    return outputs;
  };
  return pair(mx::value_and_grad(call, ints(argnums))(vec(inputs)));
}

Pair vmap_trace(const Borrowed& f, Arrays inputs, Ints axes) {
  return pair(mx::detail::vmap_trace([&](const Vec& in) { return run(f, in); }, vec(inputs), ints(axes)));
}

rust::Vec<array> vmap_replace(Arrays inputs, const Pair& trace, Ints axes, Ints out_axes) {
  Vec from(trace.first.begin(), trace.first.end());
  Vec to(trace.second.begin(), trace.second.end());
  return list(mx::detail::vmap_replace(vec(inputs), from, to, ints(axes), ints(out_axes)));
}

std::unique_ptr<Function> custom_function(rust::Box<Kept> closure, bool vjp, bool jvp, bool vmap) {
  auto f = std::make_shared<rust::Box<Kept>>(std::move(closure));
  return std::make_unique<Function>([=](const Vec& inputs) {
    auto count = std::make_shared<size_t>(0);
    auto call = [f, count](const Vec& in) {
      auto outputs = run(f, Role::Call, in);
      if (outputs.empty()) {
        throw std::invalid_argument("[custom_function] The function gave no array.");
      }
      // MLX calls again for the rules that are not given.
      *count = *count == 0 ? outputs.size() : *count;
      return expect(std::move(outputs), *count, "[custom_function] A later call of the function");
    };
    std::optional<std::function<Vec(const Vec&, const Vec&, const Vec&)>> by_vjp;
    if (vjp) {
      by_vjp = [f](const Vec& primals, const Vec& cotangents, const Vec& outputs) {
        Vec all = primals;
        append(all, cotangents);
        append(all, outputs);
        std::vector<int> counts = {static_cast<int>(primals.size()), static_cast<int>(cotangents.size())};
        return expect(run(f, Role::Vjp, all, counts), primals.size(), "[custom_vjp] The rule");
      };
    }
    std::optional<std::function<Vec(const Vec&, const Vec&, const std::vector<int>&)>> by_jvp;
    if (jvp) {
      by_jvp = [f, count](const Vec& primals, const Vec& tangents, const std::vector<int>& argnums) {
        Vec all = primals;
        append(all, tangents);
        return expect(run(f, Role::Jvp, all, argnums), *count, "[custom_jvp] The rule");
      };
    }
    std::optional<std::function<std::pair<Vec, std::vector<int>>(const Vec&, const std::vector<int>&)>> by_vmap;
    if (vmap) {
      by_vmap = [f, count](const Vec& in, const std::vector<int>& axes) {
        auto outputs = expect(run(f, Role::Vmap, in, axes), *count, "[custom_vmap] The rule");
        return std::pair(std::move(outputs), std::vector<int>(*count, 0));
      };
    }
    return mx::custom_function(call, by_vjp, by_jvp, by_vmap)(inputs);
  });
}

std::unique_ptr<Function> checkpoint(rust::Box<Kept> closure) {
  auto f = std::make_shared<rust::Box<Kept>>(std::move(closure));
  return std::make_unique<Function>(mx::checkpoint([f](const Vec& in) {
    auto outputs = run(f, Role::Call, in);
    if (outputs.empty()) {
      throw std::invalid_argument("[checkpoint] The function gave no array.");
    }
    return outputs;
  }));
}
} // namespace mlx_shim
