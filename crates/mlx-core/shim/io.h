#pragma once
#include "mlx-core/shim/base.h"

// The lists of TensorFile are complete only after the generated header, so the bodies are in io.cc.
namespace mlx_shim {
struct TensorFile;
TensorFile load_safetensors(rust::Str path);
void save_safetensors(
    rust::Str path,
    rust::Slice<const rust::String> names,
    Arrays arrays,
    rust::Slice<const rust::String> keys,
    rust::Slice<const rust::String> values);
TensorFile load_safetensors_bytes(rust::Slice<const uint8_t> bytes);
rust::Vec<uint8_t> save_safetensors_bytes(
    rust::Slice<const rust::String> names,
    Arrays arrays,
    rust::Slice<const rust::String> keys,
    rust::Slice<const rust::String> values);
array load(rust::Str path);
array load_bytes(rust::Slice<const uint8_t> bytes);
void save(rust::Str path, const array& a);
rust::Vec<uint8_t> save_bytes(const array& a);
TensorFile load_gguf(rust::Str path);
void save_gguf(rust::Str path, const TensorFile& file);
} // namespace mlx_shim
