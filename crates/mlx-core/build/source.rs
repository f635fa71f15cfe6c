//! Builds MLX itself with CMake, for the feature `source`.

use crate::pins;
use std::path::PathBuf;

/// Builds MLX from `MLX_SOURCE_DIR`, or from the pinned tag that CMake fetches, and returns the folder of its install.
///
/// The library is static, except with the feature `cuda`: a CUDA build is loaded with its toolkit's shared libraries.
pub fn build() -> Result<PathBuf, String> {
    println!("cargo::rerun-if-changed=build/CMakeLists.txt");
    let mut cmake = cmake::Config::new("build");
    if let Some(folder) = std::env::var_os("MLX_SOURCE_DIR").filter(|folder| !folder.is_empty()) {
        let folder = std::path::absolute(&folder).unwrap_or_else(|_| PathBuf::from(&folder));
        if !folder.join("mlx/version.h").is_file() {
            return Err(format!("MLX_SOURCE_DIR={} has no mlx/version.h.", folder.display()));
        }
        println!("cargo::rerun-if-changed={}", folder.join("mlx").display());
        cmake.define("FETCHCONTENT_SOURCE_DIR_MLX", folder);
    }
    let installed = std::process::Command::new("cmake").arg("--version").output();
    if std::env::var_os("CMAKE").is_none() && installed.is_err() {
        return Err("CMake is not installed (CMAKE=<path> names one that is not on the PATH).".to_owned());
    }
    let cuda = cfg!(feature = "cuda");
    let switch = |on: bool| if on { "ON" } else { "OFF" };
    // A debug MLX is of no use to anybody here, and many times slower.
    cmake
        .profile("Release")
        .define("MLX_TAG", format!("v{}", pins::VERSION))
        .define("MLX_BUILD_CUDA", switch(cuda))
        .define("BUILD_SHARED_LIBS", switch(cuda))
        .define("CMAKE_INSTALL_LIBDIR", "lib");
    // The crate panics where CMake fails, after CMake has said why.
    let build = std::panic::AssertUnwindSafe(|| cmake.build());
    std::panic::catch_unwind(build).map_err(|_| "CMake failed; what it said is above.".to_owned())
}
