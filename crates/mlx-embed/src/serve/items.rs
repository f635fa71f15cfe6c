//! What a request wants to have encoded: texts or ids, one or many.

use super::refusal::{Kind, Refusal};
use serde_json::Value;

/// The texts of a request, or the ids of each.
#[derive(Debug, PartialEq)]
pub enum Items {
    Texts(Vec<String>),
    Ids(Vec<Vec<u32>>),
}

impl Items {
    /// Reads a string, a list of strings, the ids of one text, or a list of those of several.
    pub fn read(field: &'static str, value: Value) -> Result<Self, Refusal> {
        let list = match value {
            Value::String(text) => return Ok(Self::Texts(vec![text])),
            Value::Array(list) => list,
            other => return Err(unexpected(field, "", &other)),
        };
        match list.first() {
            None => Err(Refusal { kind: Kind::Empty, ..Refusal::field(field, format!("`{field}` is empty.")) }),
            Some(Value::String(_)) => {
                let text = |(i, value)| match value {
                    Value::String(text) => Ok(text),
                    other => Err(unexpected(field, &format!("[{i}]"), &other)),
                };
                Ok(Self::Texts(list.into_iter().enumerate().map(text).collect::<Result<_, _>>()?))
            }
            Some(Value::Array(_)) => {
                let ids = |(i, value): (usize, &Value)| match value.as_array() {
                    Some(list) => ids(field, &format!("[{i}]"), list),
                    None => Err(unexpected(field, &format!("[{i}]"), value)),
                };
                Ok(Self::Ids(list.iter().enumerate().map(ids).collect::<Result<_, _>>()?))
            }
            Some(_) => Ok(Self::Ids(vec![ids(field, "", &list)?])),
        }
    }

    /// How many texts they are.
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Ids(ids) => ids.len(),
        }
    }
}

fn ids(field: &'static str, at: &str, list: &[Value]) -> Result<Vec<u32>, Refusal> {
    let id = |(i, value): (usize, &Value)| {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| unexpected(field, &format!("{at}[{i}]"), value))
    };
    list.iter().enumerate().map(id).collect()
}

fn unexpected(field: &'static str, at: &str, value: &Value) -> Refusal {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    let expected = "a string, a list of strings, a list of token ids or a list of such lists";
    Refusal::field(field, format!("`{field}{at}` is {found}; `{field}` should be {expected}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_and_many_are_read() {
        let texts = |texts: &[&str]| Items::Texts(texts.iter().map(|&text| text.to_owned()).collect());
        for (value, expected) in [
            (json!("a"), texts(&["a"])),
            (json!(["a", ""]), texts(&["a", ""])),
            (json!([1, 2]), Items::Ids(vec![vec![1, 2]])),
            (json!([[1], [2, 3], []]), Items::Ids(vec![vec![1], vec![2, 3], vec![]])),
        ] {
            assert_eq!(Items::read("input", value).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, kind, part) in [
            (json!([]), Kind::Empty, "`input` is empty"),
            (json!(null), Kind::Invalid, "`input` is null"),
            (json!(["a", 1]), Kind::Invalid, "`input[1]` is 1"),
            (json!([1, "a"]), Kind::Invalid, "`input[1]` is a string"),
            (json!([-1]), Kind::Invalid, "`input[0]` is -1"),
            (json!([[1], [2, 0.5]]), Kind::Invalid, "`input[1][1]` is 0.5"),
            (json!([[1], "a"]), Kind::Invalid, "`input[1]` is a string"),
            (json!([{}]), Kind::Invalid, "`input[0]` is an object"),
        ] {
            let refusal = Items::read("input", value).unwrap_err();
            assert!(refusal.kind == kind && refusal.message.contains(part), "{refusal:?}");
            assert_eq!(refusal.field, Some("input"));
        }
    }
}
