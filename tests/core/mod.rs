//! The binding: values in and out, errors, files, streams, memory.

mod bounds;
mod distributed;
mod gpu_kernel;
mod transforms;

use mlx_core::io::{Gguf, GgufValue, Safetensors};
use mlx_core::{
    Array, Device, Dtype, Element, Stream, ThreadLocalStream, bf16, eval, f16, io, memory, ops, random, synchronize,
    with_stream,
};

#[track_caller]
fn round_trip<T: Element + PartialEq + std::fmt::Debug>(values: &[T]) {
    let array = Array::from_slice(values, &[values.len() as i32]).unwrap();
    assert_eq!(array.dtype(), T::DTYPE);
    assert_eq!(array.nbytes(), size_of_val(values));
    assert_eq!(array.to_vec::<T>().unwrap(), values);
    // Read through strides: every second element.
    let n = values.len() as i32;
    let strided = ops::slice(&array, &[0], &[n], &[2]).unwrap();
    let expected: Vec<T> = values.iter().copied().step_by(2).collect();
    assert_eq!(strided.to_vec::<T>().unwrap(), expected);
}

/// Where this machine may have a GPU, which is as MLX makes it.
fn on_cpu<T>(f: impl FnOnce() -> T) -> T {
    with_stream(Stream::default_of(Device::Cpu).unwrap(), f)
}

#[test]
fn every_element_type_round_trips() {
    round_trip(&[true, false, true]);
    round_trip(&[0u8, 255, 7]);
    round_trip(&[0u16, u16::MAX]);
    round_trip(&[0u32, u32::MAX, 1 << 30]);
    round_trip(&[0u64, u64::MAX]);
    round_trip(&[i8::MIN, 0, i8::MAX]);
    round_trip(&[i16::MIN, i16::MAX]);
    round_trip(&[i32::MIN, -1, i32::MAX]);
    round_trip(&[i64::MIN, i64::MAX]);
    round_trip(&[f16::from_f32(1.5), f16::NEG_INFINITY]);
    round_trip(&[bf16::from_f32(-2.0), bf16::INFINITY]);
    round_trip(&[1.5f32, -0.0, f32::MAX]);
    on_cpu(|| round_trip(&[std::f64::consts::PI, f64::MIN]));
    round_trip::<f32>(&[]);
}

#[track_caller]
fn fails(result: mlx_core::Result<Array>, text: &str) {
    let error = result.expect_err("an error was expected");
    assert!(error.message().contains(text), "{error}");
    assert!(error.location().file().ends_with("core/mod.rs"), "{error}");
}

#[test]
fn errors_carry_mlx_text_and_the_callers_place() {
    let (a, b) = (Array::from_slice(&[1f32, 2.0, 3.0], &[3]).unwrap(), Array::from_slice(&[1f32, 2.0], &[2]).unwrap());
    fails(ops::add(&a, &b), "(3) and (2)");
    fails(ops::matmul(&a, &b), "[matmul]");
    fails(ops::reshape(&a, &[2, 2]), "[reshape]");
    fails(ops::concatenate(&[], 0), "[concatenate]");
    fails(ops::transpose(&a, &[0, 1]), "[transpose]");
    fails(Array::from_slice(&[1f32], &[2]), "4 bytes given where the shape needs 8");
    fails(Array::from_slice(&[1f32], &[-1]), "negative dimension");
    assert!(a.to_vec::<i32>().unwrap_err().message().contains("holds float32, not int32"));
    assert!(a.item::<f32>().unwrap_err().message().contains("exactly one element"));
}

#[test]
fn an_array_is_two_words_and_so_is_its_result() {
    assert_eq!(size_of::<Array>(), 16);
    assert_eq!(size_of::<Option<Array>>(), 16);
    assert_eq!(size_of::<mlx_core::Result<Array>>(), 16);
}

#[test]
fn safetensors_and_gguf_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    let weights = ops::reshape(&ops::arange(0.0, 64.0, 1.0, Dtype::F32).unwrap(), &[2, 32]).unwrap();
    let path = dir.path().join("weights.safetensors");
    let mut file = Safetensors::default();
    file.arrays.insert("a.weight".into(), weights.clone());
    file.metadata.insert("format".into(), "mlx".into());
    io::save_safetensors(&path, &file).unwrap();
    let read = io::load_safetensors(&path).unwrap();
    assert_eq!(read.arrays["a.weight"].to_vec::<f32>().unwrap(), weights.to_vec::<f32>().unwrap());
    assert_eq!(read.metadata["format"], "mlx");

    let path = dir.path().join("weights.gguf");
    let mut file = Gguf::default();
    file.arrays.insert("a.weight".into(), weights.clone());
    file.metadata.insert("general.name".into(), GgufValue::Text("tiny".into()));
    file.metadata.insert("tokens".into(), GgufValue::List(vec!["a".into(), "é".into()]));
    file.metadata.insert("count".into(), GgufValue::Array(Array::scalar_int(7, Dtype::U32).unwrap()));
    io::save_gguf(&path, &file).unwrap();
    let read = io::load_gguf(&path).unwrap();
    assert_eq!(read.arrays["a.weight"].to_vec::<f32>().unwrap(), weights.to_vec::<f32>().unwrap());
    assert!(matches!(&read.metadata["general.name"], GgufValue::Text(text) if text == "tiny"));
    assert!(matches!(&read.metadata["tokens"], GgufValue::List(list) if list == &["a", "é"]));
    assert!(matches!(&read.metadata["count"], GgufValue::Array(a) if a.item::<u32>().unwrap() == 7));
    assert!(io::load_safetensors(dir.path().join("absent.safetensors")).is_err());
}

#[test]
fn arrays_of_numpy_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    let ramp = ops::reshape(&ops::arange(0.0, 600.0, 1.0, Dtype::F32).unwrap(), &[20, 30]).unwrap();
    let path = dir.path().join("ramp.npy");
    io::save(&path, &ramp).unwrap();
    let bytes = io::save_bytes(&ramp).unwrap();
    assert_eq!(bytes, std::fs::read(&path).unwrap());
    for read in [io::load(&path), io::load_bytes(&bytes)] {
        let read = read.unwrap();
        assert_eq!((read.shape(), read.to_vec::<f32>().unwrap()), (&[20, 30][..], ramp.to_vec::<f32>().unwrap()));
    }
    let half = io::load_bytes(&io::save_bytes(&ops::ones(&[2], Dtype::Bf16).unwrap()).unwrap()).unwrap();
    assert_eq!(half.to_vec::<bf16>().unwrap(), [bf16::ONE; 2]);
    let arrays = [("a".to_owned(), ramp.clone()), ("b".to_owned(), Array::scalar_int(3, Dtype::I64).unwrap())].into();
    let mut sizes = Vec::new();
    for compress in [false, true] {
        let path = dir.path().join("both.npz");
        io::save_npz(&path, &arrays, compress).unwrap();
        let bytes = io::save_npz_bytes(&arrays, compress).unwrap();
        sizes.push(bytes.len());
        for read in [io::load_npz(&path), io::load_npz_bytes(&bytes)] {
            let read = read.unwrap();
            assert_eq!(read["a"].to_vec::<f32>().unwrap(), ramp.to_vec::<f32>().unwrap());
            assert_eq!(read["b"].item::<i64>().unwrap(), 3);
        }
    }
    assert!(sizes[1] < sizes[0], "a ramp deflates: {sizes:?}");
    let mut file = Safetensors::default();
    file.arrays.insert("a".into(), ramp.clone());
    file.metadata.insert("k".into(), "v".into());
    let read = io::load_safetensors_bytes(&io::save_safetensors_bytes(&file).unwrap()).unwrap();
    assert_eq!(read.arrays["a"].to_vec::<f32>().unwrap(), ramp.to_vec::<f32>().unwrap());
    assert_eq!(read.metadata, file.metadata);
}

#[test]
fn files_that_are_none_are_errors() {
    let absent = std::path::Path::new("absent.npz");
    assert!(io::load_npz(absent).unwrap_err().message().contains("cannot read the archive absent.npz"));
    assert!(io::load_npz_bytes(b"PK\x03\x04nothing").is_err());
    assert!(io::load_bytes(b"not an array").is_err());
    assert!(io::load_safetensors_bytes(b"12").is_err());
    let bytes = io::save_bytes(&ops::ones(&[100], Dtype::F32).unwrap()).unwrap();
    let cut = io::load_bytes(&bytes[..200]).unwrap();
    assert!(cut.eval().unwrap_err().message().contains("the bytes end before the data does"));
}

#[test]
fn a_shared_stream_is_another_one_in_each_thread() {
    let shared = ThreadLocalStream::new(Device::Cpu).unwrap();
    let sum = move || {
        let here = shared.here().unwrap();
        assert_eq!(here, shared.here().unwrap());
        let ones = with_stream(here, || ops::sum(&ops::ones(&[10], Dtype::F32)?, &[0], false));
        shared.synchronize().unwrap();
        ones.unwrap().item::<f32>().unwrap()
    };
    assert_eq!([sum(), std::thread::spawn(sum).join().unwrap()], [10.0, 10.0]);
}

#[test]
fn a_threads_default_stream_can_be_another() {
    std::thread::spawn(|| {
        let stream = Stream::new(Device::Cpu).unwrap();
        stream.set_default().unwrap();
        assert_eq!(Stream::peek_default_of(Device::Cpu).unwrap(), Some(stream));
        assert_eq!(Stream::default_of(Device::Cpu).unwrap(), stream);
        assert!(Stream::all().unwrap().contains(&stream));
        synchronize().unwrap();
    })
    .join()
    .unwrap();
}

#[test]
fn streams_scope_and_synchronize() {
    let stream = Stream::new(Device::Cpu).unwrap();
    let sum = with_stream(stream, || {
        assert_eq!(Device::current().unwrap(), Device::Cpu);
        let inner = with_stream(Stream::default_of(Device::Cpu).unwrap(), Device::current).unwrap();
        assert_eq!(inner, Device::Cpu);
        ops::sum(&ops::ones(&[1000], Dtype::F32)?, &[0], false)
    });
    stream.synchronize().unwrap();
    assert_eq!(sum.unwrap().item::<f32>().unwrap(), 1000.0);
    let panicked = std::panic::catch_unwind(|| with_stream(Stream::new(Device::Cpu).unwrap(), || panic!("inside")));
    assert!(panicked.is_err());
    assert!(ops::zeros(&[1], Dtype::F32).is_ok(), "the scope ended with the panic");
    assert!(Device::Cpu.is_available().unwrap());
}

#[test]
fn memory_counts_what_arrays_use() {
    if !mlx_tests::alone("core::memory_counts_what_arrays_use") {
        return;
    }
    let before = memory::active_memory().unwrap();
    let big = ops::ones(&[1024, 1024], Dtype::F32).unwrap();
    assert!(memory::active_memory().unwrap() < before + 1024, "a lazy array uses next to nothing");
    eval(std::slice::from_ref(&big)).unwrap();
    assert!(memory::active_memory().unwrap() >= before + (4 << 20));
    assert!(memory::peak_memory().unwrap() >= before + (4 << 20));
    assert!(memory::buffer_size(std::slice::from_ref(&big)).unwrap() >= 4 << 20);
}

#[test]
fn keys_make_random_numbers_repeatable() {
    let key = random::key(7).unwrap();
    let draw = || random::normal(&[8], Dtype::F32, None, None, Some(&key)).unwrap().to_vec::<f32>().unwrap();
    assert_eq!(draw(), draw());
}
