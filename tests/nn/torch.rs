//! PyTorch's checkpoints: what torch.save writes is read, and nothing else is followed.

use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Result};
use mlx_tests::fixtures;
use std::io::Write;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const FILE: &str = "pytorch_model.bin";

/// A zip archive of these members, as torch.save orders them.
fn archive(pickle: &[u8], members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in [&[("data.pkl", pickle)], members].concat() {
        zip.start_file(format!("archive/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn load(bytes: &[u8]) -> Result<Checkpoint> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), bytes).unwrap();
    Checkpoint::with_config(dir.path(), Config::new(serde_json::Map::new(), "config.json"))
}

fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn ints(values: &[i32]) -> Vec<u8> {
    let each = values.iter().flat_map(|value| [b"J", &value.to_le_bytes()[..]].concat());
    [b"(", &each.collect::<Vec<u8>>()[..], b"t"].concat()
}

/// The pickle of a dictionary with one tensor `w` in `data/0`.
fn tensor(class: &str, offset: i32, dims: &[i32], strides: &[i32]) -> Vec<u8> {
    [
        &b"\x80\x02}q\x00"[..],
        &text("w"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((",
        &text("storage"),
        format!("c{class}\n").as_bytes(),
        &text("0"),
        &text("cpu"),
        b"K\x04tQJ",
        &offset.to_le_bytes(),
        &ints(dims),
        &ints(strides),
        b"\x89ccollections\nOrderedDict\n)RtRs.",
    ]
    .concat()
}

const NUMBERS: [f32; 4] = [1.0, -2.0, 3.5, 0.25];

fn numbers() -> Vec<u8> {
    NUMBERS.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn stored(pickle: &[u8]) -> Vec<u8> {
    archive(pickle, &[("data/0", &numbers())], CompressionMethod::Stored)
}

#[test]
fn tensors_are_parts_of_their_storage() {
    for (offset, dims, strides, expected) in [
        (0, vec![2, 2], vec![2, 1], &NUMBERS[..]),
        (1, vec![3], vec![1], &NUMBERS[1..]),
        (2, vec![1, 2], vec![77, 1], &NUMBERS[2..]),
        (3, vec![], vec![], &NUMBERS[3..]),
        (0, vec![0, 2], vec![2, 1], &NUMBERS[..0]),
    ] {
        let file = stored(&tensor("torch\nFloatStorage", offset, &dims, &strides));
        let weights = load(&file).unwrap().weights(None);
        assert_eq!(weights.take("w", &dims).unwrap().to_vec::<f32>().unwrap(), expected);
        weights.finish(|_, _| {}).unwrap();
    }
}

#[track_caller]
fn check(bytes: &[u8], part: &str) {
    let error = load(bytes).err().expect("an error").to_string();
    assert!(error.contains(FILE) && error.contains(part), "{part:?} is not in: {error}");
}

#[test]
fn what_is_no_dictionary_of_tensors_is_refused() {
    let float = "torch\nFloatStorage";
    check(&stored(&tensor("os\nsystem", 0, &[4], &[1])), "`os.system`");
    check(&stored(&tensor("torch\nDoubleStorage", 0, &[2], &[1])), "`torch.DoubleStorage`");
    check(&stored(&tensor(float, 0, &[2, 2], &[1, 2])), "strides [1, 2]");
    check(&stored(&tensor(float, 0, &[5], &[1])), "exceeds its storage");
    check(&stored(&tensor(float, -1, &[2], &[1])), "an offset");
    check(&stored(&tensor(float, 0, &[i32::MAX, 0x7fff_ffff, 9], &[0x7fff_fff7, 9, 1])), "strides");
    check(&stored(&tensor(float, 0, &[i32::MAX], &[1])), "exceeds its storage");
    check(&stored(b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R."), "`posix.system`");
    check(&stored(b"\x80\x02(lp0\n."), "opcode 0x6c");
    check(&stored(b"\x80\x09."), "protocol 9");
    check(&stored(b"\x80\x02}X\xff\xff\xff\xffab"), "ends early");
    check(&stored(&[b"\x80\x02}", &b"q\x00".repeat(1 << 21)[..], b"."].concat()), "remembers too much");
    check(&stored(&tensor(float, 0, &[1; 9], &[1; 9])), "too many axes");
    check(&stored(b"\x80\x02h\x05."), "recalls");
    check(&stored(b"\x80\x02K\x01."), "no dictionary");
    check(&stored(b"\x80\x02}X\x01\x00\x00\x00aK\x01s."), "`a` is no tensor");
    check(&stored(&[b"\x80\x02)", &b"\x85".repeat(1 << 20)[..], b"."].concat()), "nest too deep");
    check(&stored(&[b"\x80\x02", &b"N".repeat(1 << 20)[..], b"."].concat()), "too high");
    check(&stored(&[b"\x80\x02", &b"(".repeat(1 << 20)[..], b"."].concat()), "opcode");
    check(&archive(&tensor(float, 0, &[4], &[1]), &[], CompressionMethod::Stored), "data/0");
    let packed = archive(&tensor(float, 0, &[4], &[1]), &[("data/0", &numbers())], CompressionMethod::Deflated);
    check(&packed, "compressed");
    check(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "no zip archive");
}

#[test]
fn no_damage_is_more_than_an_error() {
    let real = std::fs::read(fixtures().join("embed/torch-sharded/pytorch_model-00001-of-00003.bin")).unwrap();
    assert!(load(&real).is_ok());
    for length in (0..real.len()).step_by(131) {
        assert!(load(&real[..length]).is_err(), "cut to {length} bytes");
    }
    let pickle = tensor("torch\nFloatStorage", 0, &[2, 2], &[2, 1]);
    for length in 0..pickle.len() {
        assert!(load(&stored(&pickle[..length])).is_err(), "a pickle of {length} bytes");
    }
    let mut seed = 1u32;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    // Whatever comes of them, they come back.
    let mut refused = 0;
    for _ in 0..400 {
        let mut damaged = pickle.clone();
        for _ in 0..=draw(3) {
            let at = draw(damaged.len());
            damaged[at] = draw(256) as u8;
        }
        refused += usize::from(load(&stored(&damaged)).is_err());
        let mut damaged = stored(&pickle);
        let at = draw(damaged.len());
        damaged[at] = draw(256) as u8;
        refused += usize::from(load(&damaged).is_err());
    }
    assert!(refused > 200, "{refused}");
}
