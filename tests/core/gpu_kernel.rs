//! Kernels in a GPU's language: run where there is one, refused with MLX's words elsewhere.

use mlx_core::gpu_kernel::{Argument, GpuKernel, Launch, MathMode, Source, precompiled_cuda_kernel};
use mlx_core::{Array, Device, Dtype};

const SCALE: Source<'_> = Source {
    name: "scale_and_count",
    inputs: &["x"],
    outputs: &["y", "n"],
    body: "auto i = cooperative_groups::this_grid().thread_rank();
           if (i < x_shape[0]) { y[i] = T(factor) * x[i]; n[i] = negate ? -int(i) : int(i); }",
    header: "",
    row_contiguous: true,
};

fn launch<'a>(outputs: &'a [(&'a [i32], Dtype)], arguments: &'a [(&'a str, Argument)]) -> Launch<'a> {
    Launch { outputs, grid: [4, 1, 1], threadgroup: [4, 1, 1], arguments, init: None, verbose: false }
}

#[test]
fn a_cuda_kernel_computes_or_is_refused() {
    let x = Array::from_slice(&[1f32, 2.0, 3.0], &[3]).unwrap();
    let outputs = [(&[3][..], Dtype::F32), (&[3][..], Dtype::I32)];
    let arguments =
        [("T", Argument::Dtype(Dtype::F32)), ("factor", Argument::Int(3)), ("negate", Argument::Bool(true))];
    let kernel = GpuKernel::cuda(&SCALE, 0);
    if Device::current().unwrap() == Device::Cpu {
        let error = kernel.err().expect("no CUDA here");
        assert!(error.message().starts_with("[cuda_kernel]"), "{error}");
        let x = std::slice::from_ref(&x);
        let error = precompiled_cuda_kernel("f", b"", x, &launch(&outputs, &[]), 0, true).unwrap_err();
        assert!(error.message().starts_with("[cuda_kernel]"), "{error}");
        let metal = GpuKernel::metal(&SCALE, false, MathMode::Fast);
        let error = metal.and_then(|kernel| kernel.launch(x, &launch(&outputs, &arguments))).unwrap_err();
        assert!(error.message().starts_with("[metal_kernel]"), "{error}");
        return;
    }
    let kernel = kernel.unwrap();
    let results = kernel.launch(std::slice::from_ref(&x), &launch(&outputs, &arguments)).unwrap();
    assert_eq!(results[0].to_vec::<f32>().unwrap(), [3.0, 6.0, 9.0]);
    assert_eq!(results[1].to_vec::<i32>().unwrap(), [0, -1, -2]);
    assert!(kernel.launch(&[], &launch(&outputs, &arguments)).is_err(), "one input is named");
    let wrong = [("T", Argument::Float(1.0))];
    let error = kernel.launch(&[x], &launch(&outputs, &wrong)).unwrap_err();
    assert!(error.message().contains("template argument T is a float"), "{error}");
}
