//! Texts from files and standard input.

use mlx_embed::{Error, Result};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The texts of a file, of standard input for `-`: a line each, or with `key` the string under it in a JSON object each.
pub fn texts(path: &Path, key: Option<&str>) -> Result<impl Iterator<Item = Result<String>>> {
    let shown = path.display().to_string();
    let input: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(std::fs::File::open(path).map_err(|e| Error::msg(format!("{shown} cannot be read: {e}.")))?),
    };
    let key = key.map(str::to_owned);
    Ok(BufReader::new(input).lines().enumerate().map(move |(i, line)| {
        let at = |what: String| Error::msg(format!("{shown}, line {}: {what}", i + 1));
        let line = line.map_err(|e| at(format!("{e}.")))?;
        let Some(key) = &key else { return Ok(line) };
        let value: serde_json::Value = serde_json::from_str(&line).map_err(|e| at(format!("not JSON: {e}.")))?;
        let text = value.get(key).and_then(serde_json::Value::as_str);
        text.map(str::to_owned).ok_or_else(|| at(format!("no string under `{key}`.")))
    }))
}

/// The texts of files one after the other, of standard input where there are none.
pub fn all(paths: &[PathBuf], key: Option<&str>) -> Result<Vec<String>> {
    let stdin = [PathBuf::from("-")];
    let paths = if paths.is_empty() { &stdin } else { paths };
    let mut all = Vec::new();
    for path in paths {
        all.extend(texts(path, key)?.collect::<Result<Vec<_>>>()?);
    }
    Ok(all)
}
