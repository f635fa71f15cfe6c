//! Public functions of MLX that need no binding, each with its reason.

const OPERATOR: &str = "a C++ operator has a named twin";
const FEWER_AXES: &str = "an inline spelling of the n-dimensional transform, which mlx-ops spells itself";
const STREAM: &str = "prints to a C++ stream";

const EXCLUDED: [(&str, &str, &str); 10] = [
    ("fft.h", "fft", FEWER_AXES),
    ("fft.h", "fft2", FEWER_AXES),
    ("fft.h", "ifft", FEWER_AXES),
    ("fft.h", "ifft2", FEWER_AXES),
    ("fft.h", "irfft", FEWER_AXES),
    ("fft.h", "irfft2", FEWER_AXES),
    ("fft.h", "rfft", FEWER_AXES),
    ("fft.h", "rfft2", FEWER_AXES),
    ("graph_utils.h", "print_graph", STREAM),
    ("distributed/distributed.h", "clear_backends", "for the tests of MLX's Python module"),
];

/// Why a function of a header is left out, if it is.
pub fn reason(file: &str, name: &str) -> Option<&'static str> {
    if name.starts_with("operator") {
        return Some(OPERATOR);
    }
    EXCLUDED.iter().find(|(of, excluded, _)| (*of, *excluded) == (file, name)).map(|(.., why)| *why)
}
