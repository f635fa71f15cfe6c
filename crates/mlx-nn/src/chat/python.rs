//! The Jinja environment that transformers gives chat templates, where Python shows through: how values print, JSON,
//! and the names a template may call.

use std::fmt::Write;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Rest, Value, ValueKind, ValueOrKwargs, from_args};
use minijinja::{AutoEscape, Environment, Error, ErrorKind};

use super::{filters, methods};

pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_formatter(|out, _, value| Ok(write_str(out, value)?));
    env.set_unknown_method_callback(methods::call);
    minijinja_contrib::add_to_environment(&mut env);
    filters::add(&mut env);
    env.add_filter("tojson", tojson);
    env.add_filter("string", |value: &Value| to_str(value));
    env.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::Seq | ValueKind::String | ValueKind::Map | ValueKind::Undefined)
    });
    env.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    env.add_test("callable", |value: &Value| value.kind() == ValueKind::Plain);
    env.add_function("raise_exception", |message: &Value| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, to_str(message)))
    });
    env.add_function("strftime_now", |format: &str| strftime(&jiff::Zoned::now(), format));
    env.add_function("cycler", |items: Rest<Value>| minijinja_contrib::globals::cycler(items.0));
    env
}

fn strftime(time: &jiff::Zoned, format: &str) -> Result<String, Error> {
    jiff::fmt::strtime::format(format, time)
        .map_err(|e| Error::new(ErrorKind::InvalidOperation, format!("strftime_now cannot format {format:?}: {e}")))
}

/// Python's `str(value)`.
pub(super) fn to_str(value: &Value) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_str(&mut out, value);
    out
}

fn write_str(out: &mut (impl Write + ?Sized), value: &Value) -> std::fmt::Result {
    match value.as_str() {
        Some(text) => out.write_str(text),
        None if value.is_undefined() => Ok(()),
        None => write_repr(out, value),
    }
}

/// Python's `repr(value)`.
fn write_repr(out: &mut (impl Write + ?Sized), value: &Value) -> std::fmt::Result {
    match value.kind() {
        ValueKind::Undefined => out.write_str("Undefined"),
        ValueKind::Number if !value.is_integer() => out.write_str(&float(value, ["nan", "inf"])),
        ValueKind::Seq => {
            let tuple = value.is_tuple();
            out.write_char(if tuple { '(' } else { '[' })?;
            for (i, item) in items(value).enumerate() {
                out.write_str(if i > 0 { ", " } else { "" })?;
                write_repr(out, &item)?;
            }
            out.write_str(match (tuple, value.len()) {
                (false, _) => "]",
                (true, Some(1)) => ",)",
                (true, _) => ")",
            })
        }
        ValueKind::Map => {
            out.write_char('{')?;
            for (i, key) in items(value).enumerate() {
                out.write_str(if i > 0 { ", " } else { "" })?;
                write_repr(out, &key)?;
                out.write_str(": ")?;
                write_repr(out, &value.get_item(&key).unwrap_or_default())?;
            }
            out.write_char('}')
        }
        // minijinja quotes strings as Python does.
        ValueKind::String => write!(out, "{value:?}"),
        _ => write!(out, "{value}"),
    }
}

fn items(value: &Value) -> impl Iterator<Item = Value> {
    value.try_iter().into_iter().flatten()
}

/// The shortest digits that read back the same, with an exponent where Python has one.
fn float(value: &Value, [nan, infinity]: [&str; 2]) -> String {
    let number = f64::try_from(value.clone()).unwrap_or(f64::NAN);
    if number.is_nan() {
        return nan.to_owned();
    }
    if number.is_infinite() {
        return format!("{}{infinity}", if number < 0.0 { "-" } else { "" });
    }
    let text = format!("{number:?}");
    // Rust writes 1e16 and 1.5e-7 where Python writes 1e+16 and 1.5e-07.
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
    format!("{digits}e{sign}{exponent:0>2}")
}

struct Json {
    ascii: bool,
    indent: Option<String>,
    separators: (String, String),
    sort_keys: bool,
}

/// `json.dumps` as transformers exposes it: no HTML escapes, and `ensure_ascii` off unless asked for.
fn tojson(value: &Value, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = args.into_values();
    let (positional, kwargs) = from_args::<(&[Value], Kwargs)>(&args)?;
    let option = |at: usize, name| match positional.get(at) {
        Some(value) => Ok::<_, Error>(value.clone()),
        None => Ok(kwargs.get::<Option<Value>>(name)?.unwrap_or_default()),
    };
    let ascii = option(0, "ensure_ascii")?.is_true();
    let indent = match option(1, "indent")? {
        indent if indent.is_none() || indent.is_undefined() => None,
        indent => Some(match indent.as_str() {
            Some(text) => text.to_owned(),
            None => " ".repeat(i64::try_from(indent)?.clamp(0, 64) as usize),
        }),
    };
    let given: Vec<String> = items(&option(2, "separators")?).map(|s| to_str(&s)).collect();
    let separators = match <[String; 2]>::try_from(given) {
        Ok([item, key]) => (item, key),
        Err(_) => (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()),
    };
    let sort_keys = option(3, "sort_keys")?.is_true();
    kwargs.assert_all_used()?;
    let mut out = String::new();
    Json { ascii, indent, separators, sort_keys }.write(&mut out, value, 1)?;
    Ok(Value::from(out))
}

impl Json {
    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&number(value)),
            ValueKind::String => self.string(out, value.as_str().unwrap_or_default()),
            ValueKind::Seq => {
                self.list(out, ['[', ']'], depth, items(value), |out, item| self.write(out, &item, depth + 1))?;
            }
            ValueKind::Map => {
                let mut keys: Vec<Value> = items(value).collect();
                if self.sort_keys {
                    keys.sort();
                }
                self.list(out, ['{', '}'], depth, keys.into_iter(), |out, key| {
                    self.string(out, &json_key(&key)?);
                    out.push_str(&self.separators.1);
                    self.write(out, &value.get_item(&key)?, depth + 1)
                })?;
            }
            kind => {
                return Err(Error::new(ErrorKind::InvalidOperation, format!("tojson cannot write {kind} as JSON")));
            }
        }
        Ok(())
    }

    fn list(
        &self,
        out: &mut String,
        [open, close]: [char; 2],
        depth: usize,
        items: impl Iterator<Item = Value>,
        mut write: impl FnMut(&mut String, Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let line = |out: &mut String, depth: usize| {
            if let Some(indent) = &self.indent {
                out.push('\n');
                out.push_str(&indent.repeat(depth));
            }
        };
        out.push(open);
        let mut empty = true;
        for item in items {
            if !empty {
                out.push_str(&self.separators.0);
            }
            empty = false;
            line(out, depth);
            write(out, item)?;
        }
        if !empty {
            line(out, depth - 1);
        }
        out.push(close);
        Ok(())
    }

    fn string(&self, out: &mut String, text: &str) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c if c < ' ' || (self.ascii && !(' '..='~').contains(&c)) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

fn number(value: &Value) -> String {
    if value.is_integer() { value.to_string() } else { float(value, ["NaN", "Infinity"]) }
}

fn json_key(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(to_str(key)),
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number => Ok(number(key)),
        kind => Err(Error::new(ErrorKind::InvalidOperation, format!("tojson cannot write a {kind} as a key"))),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn strftime_formats_local_dates() {
        let time: jiff::Zoned = "2024-07-26T09:05:03+00:00[UTC]".parse().unwrap();
        for (format, expected) in [
            ("%d %b %Y", "26 Jul 2024"),
            ("%Y-%m-%d %H:%M:%S", "2024-07-26 09:05:03"),
            ("%A, %B %-d", "Friday, July 26"),
            ("%y/%j %I %p %%", "24/208 09 AM %"),
        ] {
            assert_eq!(super::strftime(&time, format).unwrap(), expected);
        }
        assert!(super::strftime(&time, "%Ö").unwrap_err().to_string().contains("strftime_now"));
    }
}
