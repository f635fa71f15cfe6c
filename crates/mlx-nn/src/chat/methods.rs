//! Python's methods on strings and lists that minijinja's own set leaves out.

use minijinja::value::{Tuple, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat::unknown_method_callback;

pub(super) fn call(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    match unknown_method_callback(state, value, method, args) {
        Err(e) if e.kind() == ErrorKind::UnknownMethod => {}
        known => return known,
    }
    match value.as_str() {
        Some(text) => string(text, method, args),
        None => list(value, method, args),
    }
}

fn string(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "removeprefix" => one(args).map(|fix| text.strip_prefix(fix).unwrap_or(text).into()),
        "removesuffix" => one(args).map(|fix| text.strip_suffix(fix).unwrap_or(text).into()),
        "partition" => {
            let at = one(args)?;
            let (before, after) = text.split_once(at).unwrap_or((text, ""));
            let found = if text.contains(at) { at } else { "" };
            Ok(triple(before, found, after))
        }
        "rpartition" => {
            let at = one(args)?;
            let (before, after) = text.rsplit_once(at).unwrap_or(("", text));
            let found = if text.contains(at) { at } else { "" };
            Ok(triple(before, found, after))
        }
        "rsplit" => rsplit(text, args),
        "index" => {
            let at =
                text.find(one(args)?).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "substring not found"))?;
            Ok(text[..at].chars().count().into())
        }
        "ljust" | "rjust" | "zfill" => {
            let (width, fill): (usize, Option<&str>) = from_args(args)?;
            let fill = if method == "zfill" { "0" } else { fill.unwrap_or(" ") };
            let pad = fill.repeat(width.saturating_sub(text.chars().count()));
            Ok(match (method, text.strip_prefix(['-', '+'])) {
                ("ljust", _) => format!("{text}{pad}"),
                ("zfill", Some(digits)) => format!("{}{pad}{digits}", &text[..1]),
                _ => format!("{pad}{text}"),
            }
            .into())
        }
        "isdecimal" => {
            let () = from_args(args)?;
            Ok((!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).into())
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn list(value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "index" => {
            let (wanted,): (&Value,) = from_args(args)?;
            let at = value.try_iter()?.position(|item| item == *wanted);
            at.map(Value::from)
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{wanted} is not in the list")))
        }
        "copy" => {
            let () = from_args(args)?;
            Ok(value.clone())
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn one(args: &[Value]) -> Result<&str, Error> {
    from_args::<(&str,)>(args).map(|(arg,)| arg)
}

fn triple(a: &str, b: &str, c: &str) -> Value {
    Value::from(Tuple::from([Value::from(a), Value::from(b), Value::from(c)]))
}

fn rsplit(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (at, count): (Option<&str>, Option<i64>) = from_args(args)?;
    let count = count.and_then(|n| usize::try_from(n).ok()).map_or(usize::MAX, |n| n.saturating_add(1));
    let mut parts: Vec<&str> = match at {
        Some(at) => text.rsplitn(count, at).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim_end();
            while !rest.is_empty() && parts.len() + 1 < count {
                let start = rest
                    .rfind(char::is_whitespace)
                    .map_or(0, |at| at + rest[at..].chars().next().map_or(0, char::len_utf8));
                parts.push(&rest[start..]);
                rest = rest[..start].trim_end();
            }
            parts.extend((!rest.is_empty()).then_some(rest));
            parts
        }
    };
    parts.reverse();
    Ok(parts.into_iter().map(Value::from).collect())
}
