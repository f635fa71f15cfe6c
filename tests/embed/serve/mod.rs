//! The server, in this process, on a port that is free.

mod answers;
mod client;
mod engine;
mod refusals;

use mlx_embed::load;
use mlx_embed::serve::{ServeOptions, Server};
use mlx_tests::fixtures;
use std::path::PathBuf;

fn case(name: &str) -> PathBuf {
    fixtures().join("embed").join(name)
}

fn anywhere() -> ServeOptions {
    ServeOptions { port: 0, ..ServeOptions::default() }
}

/// A server of a committed model.
fn serve(name: &str, options: &ServeOptions) -> Server {
    let dir = case(name);
    Server::embedder(name, move || load(dir), options).unwrap()
}
