//! Stand-in until the real one lands.
use std::path::PathBuf;
pub struct Mlx { pub include: PathBuf, pub lib: PathBuf }
pub fn find() -> Result<Mlx, String> {
    let root = PathBuf::from(std::env::var("MLX_DIR").map_err(|_| "MLX_DIR")?);
    Ok(Mlx { include: root.join("include"), lib: root.join("lib") })
}
pub fn link(mlx: &Mlx) {
    println!("cargo:rustc-link-search=native={}", mlx.lib.display());
    println!("cargo:rustc-link-lib=dylib=mlx");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", mlx.lib.display());
}
