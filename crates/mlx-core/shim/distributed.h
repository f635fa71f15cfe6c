#pragma once
#include "mlx-core/shim/base.h"
#include "mlx/distributed/distributed.h"
#include "mlx/distributed/ops.h"

// One line per op: the chosen overload, the scoped stream passed on.
namespace mlx_shim {
using Group = mx::distributed::Group;

inline bool available(rust::Str backend) { return mx::distributed::is_available(str(backend)); }
inline std::unique_ptr<Group> init(bool strict, rust::Str backend) { return std::make_unique<Group>(mx::distributed::init(strict, str(backend))); }
inline void clear_backends() { mx::distributed::clear_backends(); }
inline int32_t rank_of(const Group& group) { return group.rank(); }
inline int32_t size_of_group(const Group& group) { return group.size(); }
inline std::unique_ptr<Group> split_group(const Group& group, int32_t color, int32_t key) { return std::make_unique<Group>(group.split(color, key)); }
inline array all_sum(const array& x, const Group& group) { return mx::distributed::all_sum(x, group, stream()); }
inline array all_max(const array& x, const Group& group) { return mx::distributed::all_max(x, group, stream()); }
inline array all_min(const array& x, const Group& group) { return mx::distributed::all_min(x, group, stream()); }
inline array all_gather(const array& x, const Group& group) { return mx::distributed::all_gather(x, group, stream()); }
inline array sum_scatter(const array& x, const Group& group) { return mx::distributed::sum_scatter(x, group, stream()); }
inline array send(const array& x, int32_t to, const Group& group) { return mx::distributed::send(x, to, group, stream()); }
inline array recv(Ints dims, uint8_t dtype, int32_t from, const Group& group) { return mx::distributed::recv(shape(dims), mlx_shim::dtype(dtype), from, group, stream()); }
inline array recv_like(const array& x, int32_t from, const Group& group) { return mx::distributed::recv_like(x, from, group, stream()); }
} // namespace mlx_shim
