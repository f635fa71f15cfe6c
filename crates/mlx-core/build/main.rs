//! Finds MLX and compiles the C++ side of the binding.

mod link;
mod locate;
mod pins;
mod prefix;
#[cfg(feature = "source")]
mod source;
mod wheel;

const BRIDGES: [&str; 11] =
    ["array", "distributed", "fast", "gpu_kernel", "io", "kernel", "numeric", "ops", "random", "runtime", "transforms"];
const SOURCES: [&str; 5] = ["gpu_kernel", "io", "kernel", "traces", "transforms"];

fn main() {
    println!("cargo::rerun-if-env-changed=DOCS_RS");
    // docs.rs has neither MLX nor a network, and rustdoc never links.
    if std::env::var_os("DOCS_RS").is_some() {
        return;
    }
    if let Err(message) = build() {
        eprintln!("{message}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let mlx = locate::find()?;
    let sources: Vec<String> = BRIDGES.iter().map(|name| format!("src/bridge/{name}.rs")).collect();
    // Where a program's definitions come before those of the library that it loads, and the library needs it.
    let checked = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") && !mlx.is_static();
    let memory = (checked && !cfg!(feature = "cuda")).then_some("memory");
    cxx_build::bridges(&sources)
        .files(SOURCES.into_iter().chain(memory).map(|name| format!("shim/{name}.cc")))
        .include(&mlx.include)
        .std("c++20")
        .flag_if_supported("-Wno-unused-parameter")
        .flag_if_supported("-Wno-deprecated-copy")
        // On aarch64 GCC remarks on what changed in its version 10.
        .flag_if_supported("-Wno-psabi")
        .compile("mlx_shim");
    for path in sources.iter().map(String::as_str).chain(["shim", "build"]) {
        println!("cargo:rerun-if-changed={path}");
    }
    locate::link(&mlx)
}
