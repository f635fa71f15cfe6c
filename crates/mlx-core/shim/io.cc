// Tensor files: MLX's maps to parallel lists and back.
#include "mlx-core/shim/io.h"

#include "mlx-core/src/bridge/io.rs.h"

namespace mlx_shim {
static void push_text(TensorFile& out, const std::string& key, const std::string& value) {
  out.text_keys.push_back(rust::String::lossy(key));
  out.text_values.push_back(rust::String::lossy(value));
}

TensorFile load_safetensors(rust::Str path) {
  auto [arrays, metadata] = mx::load_safetensors(str(path), stream());
  TensorFile out;
  for (const auto& [name, value] : arrays) {
    out.names.push_back(rust::String::lossy(name));
    out.arrays.push_back(value);
  }
  for (const auto& [key, value] : metadata) {
    push_text(out, key, value);
  }
  return out;
}

static std::unordered_map<std::string, array> array_map(rust::Slice<const rust::String> names, Arrays arrays) {
  std::unordered_map<std::string, array> map;
  for (size_t i = 0; i < names.size(); ++i) {
    map.insert({std::string(names[i]), arrays[i]});
  }
  return map;
}

void save_safetensors(
    rust::Str path,
    rust::Slice<const rust::String> names,
    Arrays arrays,
    rust::Slice<const rust::String> keys,
    rust::Slice<const rust::String> values) {
  std::unordered_map<std::string, std::string> metadata;
  for (size_t i = 0; i < keys.size(); ++i) {
    metadata.insert({std::string(keys[i]), std::string(values[i])});
  }
  mx::save_safetensors(str(path), array_map(names, arrays), metadata);
}

TensorFile load_gguf(rust::Str path) {
  auto [arrays, metadata] = mx::load_gguf(str(path), stream());
  TensorFile out;
  for (const auto& [name, value] : arrays) {
    out.names.push_back(rust::String::lossy(name));
    out.arrays.push_back(value);
  }
  for (const auto& [key, value] : metadata) {
    if (const auto* a = std::get_if<array>(&value)) {
      out.value_keys.push_back(rust::String::lossy(key));
      out.values.push_back(*a);
    } else if (const auto* s = std::get_if<std::string>(&value)) {
      push_text(out, key, *s);
    } else if (const auto* v = std::get_if<std::vector<std::string>>(&value)) {
      out.list_keys.push_back(rust::String::lossy(key));
      TextList list;
      for (const auto& s : *v) {
        list.items.push_back(rust::String::lossy(s));
      }
      out.lists.push_back(std::move(list));
    }
  }
  return out;
}

void save_gguf(rust::Str path, const TensorFile& file) {
  using Names = rust::Slice<const rust::String>;
  std::unordered_map<std::string, mx::GGUFMetaData> metadata;
  for (size_t i = 0; i < file.text_keys.size(); ++i) {
    metadata.insert({std::string(file.text_keys[i]), std::string(file.text_values[i])});
  }
  for (size_t i = 0; i < file.value_keys.size(); ++i) {
    metadata.insert({std::string(file.value_keys[i]), file.values[i]});
  }
  for (size_t i = 0; i < file.list_keys.size(); ++i) {
    std::vector<std::string> items;
    for (const auto& s : file.lists[i].items) {
      items.emplace_back(s);
    }
    metadata.insert({std::string(file.list_keys[i]), std::move(items)});
  }
  mx::save_gguf(
      str(path),
      array_map(Names(file.names.data(), file.names.size()), Arrays(file.arrays.data(), file.arrays.size())),
      metadata);
}
} // namespace mlx_shim
