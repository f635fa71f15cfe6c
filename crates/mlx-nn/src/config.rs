//! `config.json`, read key by key with errors that name the key.

use crate::{Error, Result};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A model's configuration and the file it came from.
#[derive(Clone, Debug)]
pub struct Config {
    values: Map<String, Value>,
    origin: PathBuf,
}

impl Config {
    /// A configuration with the file that errors will name.
    pub fn new(values: Map<String, Value>, origin: impl Into<PathBuf>) -> Self {
        Self { values, origin: origin.into() }
    }

    /// Reads a JSON object from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::msg(format!("{} cannot be read: {e}.", path.display())))?;
        let values = serde_json::from_str(&text)
            .map_err(|e| Error::msg(format!("{} is not a JSON object: {e}.", path.display())))?;
        Ok(Self::new(values, path))
    }

    /// The file the configuration came from.
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// The raw value of a key that is there and not null.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// The object under `key` as a configuration of its own.
    pub fn object(&self, key: &str) -> Result<Option<Config>> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self::new(map.clone(), &self.origin))),
            Some(other) => Err(self.wrong(key, "an object", other)),
        }
    }

    /// The error for a key that is not there.
    pub fn missing(&self, key: &str) -> Error {
        Error::msg(format!("{}: the key `{key}` is missing.", self.origin.display()))
    }

    /// The error for a key whose value is not what was expected.
    pub fn wrong(&self, key: &str, expected: &str, found: impl std::fmt::Display) -> Error {
        Error::msg(format!("{}: the key `{key}` should be {expected}, not {found}.", self.origin.display()))
    }

    fn get<T>(&self, key: &str, expected: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Option<T>> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| self.wrong(key, expected, value)),
        }
    }

    /// An optional positive integer: a size or a count.
    pub fn opt_int(&self, key: &str) -> Result<Option<i32>> {
        let positive = |value: &Value| value.as_i64().and_then(|v| i32::try_from(v).ok()).filter(|&v| v > 0);
        self.get(key, "a positive integer", positive)
    }

    /// A positive integer.
    pub fn int(&self, key: &str) -> Result<i32> {
        self.opt_int(key)?.ok_or_else(|| self.missing(key))
    }

    /// A positive integer or its default.
    pub fn int_or(&self, key: &str, default: i32) -> Result<i32> {
        Ok(self.opt_int(key)?.unwrap_or(default))
    }

    /// An optional number.
    pub fn opt_float(&self, key: &str) -> Result<Option<f64>> {
        self.get(key, "a number", Value::as_f64)
    }

    /// A number.
    pub fn float(&self, key: &str) -> Result<f64> {
        self.opt_float(key)?.ok_or_else(|| self.missing(key))
    }

    /// A number or its default.
    pub fn float_or(&self, key: &str, default: f64) -> Result<f64> {
        Ok(self.opt_float(key)?.unwrap_or(default))
    }

    /// An optional boolean.
    pub fn opt_flag(&self, key: &str) -> Result<Option<bool>> {
        self.get(key, "true or false", Value::as_bool)
    }

    /// A boolean, false where absent.
    pub fn flag(&self, key: &str) -> Result<bool> {
        Ok(self.opt_flag(key)?.unwrap_or(false))
    }

    /// An optional string.
    pub fn opt_text(&self, key: &str) -> Result<Option<&str>> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a string", other)),
        }
    }

    /// A string.
    pub fn text(&self, key: &str) -> Result<&str> {
        self.opt_text(key)?.ok_or_else(|| self.missing(key))
    }

    /// An optional list of numbers; a single number is a list of one.
    pub fn opt_floats(&self, key: &str) -> Result<Option<Vec<f64>>> {
        self.get(key, "a list of numbers", |value| match value {
            Value::Array(items) => items.iter().map(Value::as_f64).collect(),
            value => value.as_f64().map(|v| vec![v]),
        })
    }

    /// An optional list of strings.
    pub fn opt_texts(&self, key: &str) -> Result<Option<Vec<String>>> {
        self.get(key, "a list of strings", |value| {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        })
    }
}
