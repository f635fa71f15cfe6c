//! Lets the command find MLX's library where it was linked from, also after the target folder is gone.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Ok(lib) = std::env::var("DEP_MLX_LIB")
        && std::env::var("DEP_MLX_LINKAGE").as_deref() != Ok("static")
    {
        println!("cargo::rustc-link-arg-bins=-Wl,-rpath,{lib}");
    }
}
