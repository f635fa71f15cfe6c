// Tensor files: MLX's maps to parallel lists and back.
#include "mlx-core/shim/io.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "mlx-core/src/bridge/io.rs.h"

namespace mlx_shim {
static void push_text(TensorFile& out, const std::string& key, const std::string& value) {
  out.text_keys.push_back(rust::String::lossy(key));
  out.text_values.push_back(rust::String::lossy(value));
}

using Names = rust::Slice<const rust::String>;

namespace {
// MLX reads lazily, from threads of its own: the bytes stay as long as an array may ask for them.
class BytesReader : public mx::io::Reader {
 public:
  explicit BytesReader(rust::Slice<const uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  bool is_open() const override { return true; }
  bool good() const override { return at_ <= bytes_.size(); }
  size_t tell() override { return at_; }
  void seek(int64_t off, std::ios_base::seekdir way) override {
    at_ = off + (way == std::ios_base::beg ? 0 : way == std::ios_base::cur ? at_ : bytes_.size());
  }
  void read(char* data, size_t n) override {
    read(data, n, at_);
    at_ += n;
  }
  void read(char* data, size_t n, size_t offset) override {
    if (offset > bytes_.size() || n > bytes_.size() - offset) {
      throw std::runtime_error("[read] the bytes end before the data does");
    }
    std::memcpy(data, bytes_.data() + offset, n);
  }
  std::string label() const override { return "bytes in memory"; }

 private:
  std::vector<char> bytes_;
  size_t at_ = 0;
};

class BytesWriter : public mx::io::Writer {
 public:
  bool is_open() const override { return true; }
  bool good() const override { return true; }
  size_t tell() override { return at_; }
  void seek(int64_t off, std::ios_base::seekdir way) override {
    at_ = off + (way == std::ios_base::beg ? 0 : way == std::ios_base::cur ? at_ : bytes.size());
  }
  void write(const char* data, size_t n) override {
    bytes.resize(std::max(bytes.size(), at_ + n));
    std::memcpy(bytes.data() + at_, data, n);
    at_ += n;
  }
  std::string label() const override { return "bytes in memory"; }
  rust::Vec<uint8_t> take() const {
    rust::Vec<uint8_t> out;
    out.reserve(bytes.size());
    std::copy(bytes.begin(), bytes.end(), std::back_inserter(out));
    return out;
  }

 private:
  std::vector<uint8_t> bytes;
  size_t at_ = 0;
};
} // namespace

static TensorFile safetensors(const mx::SafetensorsLoad& loaded) {
  TensorFile out;
  for (const auto& [name, value] : loaded.first) {
    out.names.push_back(rust::String::lossy(name));
    out.arrays.push_back(value);
  }
  for (const auto& [key, value] : loaded.second) {
    push_text(out, key, value);
  }
  return out;
}

TensorFile load_safetensors(rust::Str path) { return safetensors(mx::load_safetensors(str(path), stream())); }
TensorFile load_safetensors_bytes(rust::Slice<const uint8_t> bytes) {
  return safetensors(mx::load_safetensors(std::make_shared<BytesReader>(bytes), stream()));
}

static std::unordered_map<std::string, array> array_map(Names names, Arrays arrays) {
  std::unordered_map<std::string, array> map;
  for (size_t i = 0; i < names.size(); ++i) {
    map.insert({std::string(names[i]), arrays[i]});
  }
  return map;
}

static std::unordered_map<std::string, std::string> text_map(Names keys, Names values) {
  std::unordered_map<std::string, std::string> map;
  for (size_t i = 0; i < keys.size(); ++i) {
    map.insert({std::string(keys[i]), std::string(values[i])});
  }
  return map;
}

void save_safetensors(rust::Str path, Names names, Arrays arrays, Names keys, Names values) {
  mx::save_safetensors(str(path), array_map(names, arrays), text_map(keys, values));
}
rust::Vec<uint8_t> save_safetensors_bytes(Names names, Arrays arrays, Names keys, Names values) {
  auto writer = std::make_shared<BytesWriter>();
  mx::save_safetensors(writer, array_map(names, arrays), text_map(keys, values));
  return writer->take();
}

array load(rust::Str path) { return mx::load(str(path), stream()); }
array load_bytes(rust::Slice<const uint8_t> bytes) { return mx::load(std::make_shared<BytesReader>(bytes), stream()); }
void save(rust::Str path, const array& a) { mx::save(str(path), a); }
rust::Vec<uint8_t> save_bytes(const array& a) {
  auto writer = std::make_shared<BytesWriter>();
  mx::save(writer, a);
  return writer->take();
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
