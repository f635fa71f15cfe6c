//! Public functions of MLX that need no binding, each with its reason.

const OPERATOR: &str = "a C++ operator has a named twin";
const FEWER_AXES: &str = "an inline spelling of the n-dimensional transform, which mlx-ops spells itself";
const COMPILE: &str = "set_compile_mode with one of its modes";

const EXCLUDED: [(&str, &str, &str); 12] = [
    ("fft.h", "fft", FEWER_AXES),
    ("fft.h", "fft2", FEWER_AXES),
    ("fft.h", "ifft", FEWER_AXES),
    ("fft.h", "ifft2", FEWER_AXES),
    ("fft.h", "irfft", FEWER_AXES),
    ("fft.h", "irfft2", FEWER_AXES),
    ("fft.h", "rfft", FEWER_AXES),
    ("fft.h", "rfft2", FEWER_AXES),
    ("compile.h", "disable_compile", COMPILE),
    ("compile.h", "enable_compile", COMPILE),
    ("transforms.h", "custom_vjp", "custom_function with one rule"),
    ("transforms.h", "grad", "the second result of value_and_grad"),
];

/// Why a function of a header is left out, if it is.
pub fn reason(file: &str, name: &str) -> Option<&'static str> {
    if name.starts_with("operator") {
        return Some(OPERATOR);
    }
    EXCLUDED.iter().find(|(of, excluded, _)| (*of, *excluded) == (file, name)).map(|(.., why)| *why)
}
