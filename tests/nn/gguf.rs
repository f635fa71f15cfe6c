//! The GGUF header reader, with small files written here.

use mlx_nn::gguf::{Header, Value};

/// The bytes of a GGUF file, part by part.
#[derive(Clone, Default)]
pub struct Writer {
    keys: u64,
    tensors: u64,
    metadata: Vec<u8>,
    directory: Vec<u8>,
    data: Vec<u8>,
}

pub fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// An array value: element type, count, elements.
pub fn array(kind: u32, items: &[Vec<u8>]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(items.len() as u64).to_le_bytes(), &items.concat()].concat()
}

impl Writer {
    pub fn key(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        self.keys += 1;
        self.metadata.extend([&text(key)[..], &kind.to_le_bytes(), value].concat());
        self
    }

    pub fn str(self, key: &str, value: &str) -> Self {
        self.key(key, 8, &text(value))
    }

    pub fn u32(self, key: &str, value: u32) -> Self {
        self.key(key, 4, &value.to_le_bytes())
    }

    pub fn bool(self, key: &str, value: bool) -> Self {
        self.key(key, 7, &[u8::from(value)])
    }

    pub fn strs<S: AsRef<str>>(self, key: &str, values: &[S]) -> Self {
        let items: Vec<_> = values.iter().map(|s| text(s.as_ref())).collect();
        self.key(key, 9, &array(8, &items))
    }

    pub fn i32s(self, key: &str, values: &[i32]) -> Self {
        let items: Vec<_> = values.iter().map(|v| v.to_le_bytes().to_vec()).collect();
        self.key(key, 9, &array(5, &items))
    }

    pub fn f32s(self, key: &str, values: &[f32]) -> Self {
        let items: Vec<_> = values.iter().map(|v| v.to_le_bytes().to_vec()).collect();
        self.key(key, 9, &array(6, &items))
    }

    fn entry(mut self, name: &str, dims: &[u64], kind: u32, offset: u64) -> Self {
        self.tensors += 1;
        self.directory.extend([text(name), (dims.len() as u32).to_le_bytes().to_vec()].concat());
        self.directory.extend(dims.iter().flat_map(|d| d.to_le_bytes()));
        self.directory.extend([&kind.to_le_bytes()[..], &offset.to_le_bytes()].concat());
        self
    }

    /// A tensor with its data, at the next aligned offset.
    pub fn tensor(mut self, name: &str, dims: &[u64], kind: u32, bytes: usize) -> Self {
        self.data.resize(self.data.len().next_multiple_of(32), 0);
        let offset = self.data.len() as u64;
        self.data.extend(std::iter::repeat_n(7, bytes));
        self.entry(name, dims, kind, offset)
    }

    pub fn bytes(&self, version: u32) -> Vec<u8> {
        let mut out = [&b"GGUF"[..], &version.to_le_bytes(), &self.tensors.to_le_bytes()].concat();
        out.extend([&self.keys.to_le_bytes()[..], &self.metadata, &self.directory].concat());
        out.resize(out.len().next_multiple_of(32), 0);
        out.extend(&self.data);
        out
    }
}

fn sample() -> Writer {
    Writer::default()
        .str("general.architecture", "llama")
        .u32("llama.block_count", 30)
        .key("llama.rope.freq_base", 6, &1e5f32.to_le_bytes())
        .key("seed", 10, &u64::MAX.to_le_bytes())
        .key("tiny", 1, &[0xff])
        .bool("flag", true)
        .strs("tokens", &["a", "", "é"])
        .i32s("types", &[1, -3])
        .f32s("scores", &[0.5, -1.0])
        .key("nested", 9, &array(9, &[array(7, &[vec![1], vec![0]]), array(0, &[])]))
        .tensor("token_embd.weight", &[64, 3], 3, 120)
        .tensor("norm.weight", &[5], 0, 20)
}

pub fn read(bytes: &[u8]) -> mlx_nn::Result<Header> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    std::fs::write(&path, bytes).unwrap();
    Header::read(&path)
}

#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    let error = read(bytes).unwrap_err().to_string();
    assert!(error.contains("model.gguf") && error.contains(expected), "{error}");
    assert!(error.ends_with('.') && !error.ends_with(".."), "{error}");
}

#[test]
fn values_and_tensors_are_read() {
    for version in [2, 3] {
        let header = read(&sample().bytes(version)).unwrap();
        assert_eq!(header.version(), version);
        assert_eq!(header.require::<&str>("general.architecture").unwrap(), "llama");
        assert_eq!(header.require::<u32>("llama.block_count").unwrap(), 30);
        assert_eq!(header.require::<f32>("llama.rope.freq_base").unwrap(), 1e5);
        assert_eq!(header.require::<u64>("seed").unwrap(), u64::MAX);
        assert_eq!(header.require::<i64>("tiny").unwrap(), -1);
        assert!(header.require::<bool>("flag").unwrap());
        assert_eq!(header.require::<&[String]>("tokens").unwrap(), ["a", "", "é"]);
        assert_eq!(header.require::<&[i64]>("types").unwrap(), [1, -3]);
        assert_eq!(header.require::<&[f64]>("scores").unwrap(), [0.5, -1.0]);
        let nested = Value::Arrays(vec![Value::Bools(vec![true, false]), Value::Ints(vec![])]);
        assert_eq!(header.metadata().find(|(key, _)| *key == "nested"), Some(("nested", &nested)));
        assert_eq!(header.get::<u32>("absent").unwrap(), None);

        let [embedding, norm] = header.tensors() else { panic!("two tensors") };
        assert_eq!((embedding.name.as_str(), embedding.ggml_type.name), ("token_embd.weight", "Q4_1"));
        assert_eq!((embedding.dims.as_slice(), embedding.size), ([64, 3].as_slice(), 120));
        assert_eq!((norm.size, norm.offset - embedding.offset), (20, 128));
        assert_eq!(embedding.offset % 32, 0);
    }
}

#[test]
fn getters_name_the_file_and_the_key() {
    let header = read(&sample().bytes(3)).unwrap();
    let wrong = header.require::<u32>("general.architecture").unwrap_err().to_string();
    assert!(wrong.contains("model.gguf stores \"general.architecture\" as a string"), "{wrong}");
    assert!(wrong.ends_with("but an unsigned 32-bit integer is expected."), "{wrong}");
    assert!(header.require::<u32>("seed").is_err());
    assert!(header.require::<u32>("tiny").is_err());
    let absent = header.require::<bool>("absent").unwrap_err().to_string();
    assert!(absent.ends_with("model.gguf lacks the metadata key \"absent\"."), "{absent}");
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = sample().bytes(3);
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
    }
    check(&bytes[..bytes.len() - 1], "bad tensor \"norm.weight\"");
    check(&bytes[..40], "truncated or damaged: byte 24 announces 10 metadata keys");
    check(&bytes[..10], "it ends within \"the number of tensors\", which starts at byte 8");
}

/// Damage must give a header or an error; a panic or an abort for memory fails the test.
#[test]
fn no_damage_panics() {
    let bytes = sample().bytes(3);
    for at in 0..bytes.len() {
        for value in [0x00, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            let _ = read(&damaged);
        }
    }
}

#[test]
fn bad_files_are_named() {
    let mut magic = sample().bytes(3);
    magic[0] = b'g';
    check(&magic, "but a GGUF file starts with \"GGUF\"");
    check(&sample().bytes(1), "has version 1, but version 2 or 3 is expected");
    check(&sample().bytes(3u32.swap_bytes()), "is big-endian");
    check(&Writer { keys: u64::MAX, ..sample() }.bytes(3), "announces 18446744073709551615 metadata keys");
    check(&Writer { tensors: 1 << 60, ..sample() }.bytes(3), "tensors");
    check(&sample().u32("llama.block_count", 1).bytes(3), "metadata key \"llama.block_count\" twice");
    check(&sample().key("x", 13, &[]).bytes(3), "gives \"x\" the unknown value type 13");
    check(&sample().key("x", 7, &[2]).bytes(3), "neither 0 nor 1 in \"x\"");
    check(&sample().key("x", 8, &u64::MAX.to_le_bytes()).bytes(3), "truncated or damaged");
    check(&sample().key("x", 8, &[&2u64.to_le_bytes()[..], &[0xc3, 0x28]].concat()).bytes(3), "not UTF-8 in x");
    let deep = (0..20).fold(array(0, &[]), |inner, _| array(9, &[inner]));
    check(&sample().key("x", 9, &deep).bytes(3), "deeper than 8 levels");
    check(&sample().u32("general.alignment", 0).bytes(3), "has alignment 0");
}

#[test]
fn bad_tensors_are_named() {
    check(&sample().entry("w", &[1, 1, 1, 1, 1], 0, 0).bytes(3), "tensor \"w\" with 5 dimensions");
    check(&sample().entry("w", &[1], 99, 0).bytes(3), "tensor \"w\" of the unknown ggml type 99");
    check(&sample().entry("norm.weight", &[1], 0, 0).bytes(3), "\"norm.weight\": the name appears twice");
    check(&sample().entry("w", &[1], 0, 4).bytes(3), "\"w\": offset 4 is not a multiple of 32");
    check(&sample().entry("w", &[33], 3, 0).bytes(3), "a row of 33 elements does not divide into Q4_1 blocks of 32");
    check(&sample().entry("w", &[1 << 40, 1 << 40], 0, 0).bytes(3), "overflows");
    check(&sample().entry("w", &[1000], 0, 0).bytes(3), "reach beyond the end of the file");
    check(&sample().entry("w", &[1], 0, u64::MAX - 31).bytes(3), "reach beyond the end of the file");
}

#[test]
fn unreadable_paths_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let absent = Header::read(dir.path().join("absent.gguf")).unwrap_err().to_string();
    assert!(absent.contains("absent.gguf cannot be read"), "{absent}");
    let folder = Header::read(dir.path()).unwrap_err().to_string();
    assert!(folder.contains("is not a regular file"), "{folder}");
}

/// The same arrays as MLX's own loader gives, bit by bit.
#[test]
fn tensors_are_those_of_mlx() {
    let dims = [64, 3, 2];
    let mut file = Writer::default();
    for (name, kind, bytes) in [("f32", 0, 1536), ("f16", 1, 768), ("q4_0", 2, 216), ("q4_1", 3, 240), ("q8_0", 8, 408)]
    {
        file = file.tensor(&format!("{name}.weight"), &dims, kind, bytes);
    }
    // Below the 16-bit floats that are not numbers.
    file.data.iter_mut().enumerate().for_each(|(i, byte)| *byte = (i * 37 % 120) as u8);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    std::fs::write(&path, file.bytes(3)).unwrap();
    let ours = Header::read(&path).unwrap().read_tensors().unwrap();
    let theirs = mlx_ops::io::load_gguf(&path).unwrap().arrays;
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    assert_eq!(ours.len(), 11);
    for (name, theirs) in theirs {
        let (ours, theirs) = (&ours[&name], mlx_ops::Tensor::from(theirs));
        assert_eq!((ours.dtype(), ours.shape()), (theirs.dtype(), theirs.shape()), "{name}");
        let bits = |tensor: &mlx_ops::Tensor| tensor.view(mlx_ops::Dtype::U8).unwrap().to_vec::<u8>().unwrap();
        assert_eq!(bits(ours), bits(&theirs), "{name}");
    }
}

#[test]
fn other_quantized_types_are_read_by_mlx() {
    let file = Writer::default().tensor("w.weight", &[256, 2], 14, 420);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.gguf");
    std::fs::write(&path, file.bytes(3)).unwrap();
    let tensors = Header::read(&path).unwrap().read_tensors().unwrap();
    assert_eq!((tensors["w.weight"].dtype(), tensors["w.weight"].shape()), (mlx_ops::Dtype::F16, &[2, 256][..]));
}
