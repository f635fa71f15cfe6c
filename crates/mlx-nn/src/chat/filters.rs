//! Jinja's filters where minijinja's own take other arguments or stop where Jinja goes on.

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};

use super::python::to_str;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("length", length);
    env.add_filter("count", length);
    env.add_filter("replace", replace);
    env.add_filter("int", int);
    env.add_filter("float", float);
    env.add_filter("indent", indent);
    env.add_filter("escape", escape);
    env.add_filter("e", escape);
}

fn length(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(Value::from(0)),
        _ => minijinja::filters::length(value).map(Value::from),
    }
}

fn replace(text: &Value, old: &str, new: &Value, count: Option<usize>) -> String {
    let (text, new) = (to_str(text), to_str(new));
    match count {
        Some(count) => text.replacen(old, &new, count),
        None => text.replace(old, &new),
    }
}

/// What is not a number becomes the default.
fn int(value: &Value, default: Option<Value>) -> Value {
    let default = default.unwrap_or(Value::from(0));
    match value.as_str() {
        Some(text) => {
            let text = text.trim().replace('_', "");
            let whole = text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().and_then(whole));
            whole.map_or(default, Value::from)
        }
        None if value.is_integer() => value.clone(),
        None if value.kind() == ValueKind::Bool => Value::from(i64::from(value.is_true())),
        None => f64::try_from(value.clone()).ok().and_then(whole).map_or(default, Value::from),
    }
}

fn whole(number: f64) -> Option<i64> {
    (number.abs() < i64::MAX as f64).then_some(number as i64)
}

fn float(value: &Value, default: Option<Value>) -> Value {
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None if value.kind() == ValueKind::Bool => Some(f64::from(value.is_true())),
        None => f64::try_from(value.clone()).ok(),
    };
    number.map_or(default.unwrap_or(Value::from(0.0)), Value::from)
}

/// `width` is a number of spaces or the text to put before each line.
fn indent(text: &Value, width: Option<Value>, first: Option<bool>, blank: Option<bool>) -> Result<String, Error> {
    let prefix = match width {
        Some(width) if width.as_str().is_some() => to_str(&width),
        Some(width) => " ".repeat(usize::try_from(width)?),
        None => " ".repeat(4),
    };
    let text = to_str(text);
    let lines = text.split('\n').enumerate().map(|(i, line)| {
        let wanted = if i == 0 { first == Some(true) } else { blank == Some(true) || !line.is_empty() };
        if wanted { format!("{prefix}{line}") } else { line.to_owned() }
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

fn escape(value: &Value) -> String {
    let escapes = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ("\"", "&#34;")];
    escapes.iter().fold(to_str(value), |text, (from, to)| text.replace(from, to))
}
