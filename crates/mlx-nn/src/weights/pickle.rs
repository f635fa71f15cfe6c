//! The pickle inside of a PyTorch checkpoint: names and places of tensors, and nothing that runs.
//!
//! Knows the opcodes and classes with which torch.save writes a dictionary of tensors; anything else is an error. What is read is
//! no deeper than tensors need, so that no file can nest or repeat itself into more memory than its size warrants.

use super::place::Place;
use crate::{Error, Result};
use mlx_ops::Dtype;
use std::collections::HashMap;
use std::rc::Rc;

/// The most values on the stack: Python writes entries of a dictionary by the thousand.
const STACK: usize = 1 << 14;
/// The most values that are remembered, and the most entries of dictionaries: some ten for each tensor.
const ROOM: usize = 1 << 20;
/// How deep a tuple may nest: a tensor's arguments hold its shape.
const DEPTH: u8 = 4;

#[derive(Clone)]
enum Value {
    None,
    Flag,
    Int(i64),
    Text(Rc<str>),
    Global(Global),
    Tuple(Rc<[Value]>, u8),
    Storage(Dtype, Rc<str>),
    Tensor(Rc<Place>),
    /// One of the dictionaries, all of which are kept until the end.
    Dict(usize),
}

/// The classes and functions that torch.save names.
#[derive(Clone, Copy, PartialEq)]
enum Global {
    OrderedDict,
    Tensor,
    Parameter,
    Storage(Dtype),
}

impl Global {
    fn named(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::Tensor,
            ("torch._utils", "_rebuild_parameter") => Self::Parameter,
            ("torch", "FloatStorage") => Self::Storage(Dtype::F32),
            ("torch", "HalfStorage") => Self::Storage(Dtype::F16),
            ("torch", "BFloat16Storage") => Self::Storage(Dtype::Bf16),
            ("torch", "LongStorage") => Self::Storage(Dtype::I64),
            _ => return None,
        })
    }
}

/// The tensors of the dictionary that `bytes` is, in order.
pub(super) fn tensors(bytes: &[u8]) -> Result<Vec<(Rc<str>, Place)>> {
    let mut machine = Machine {
        left: bytes,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        dicts: Vec::new(),
        room: ROOM,
    };
    let Value::Dict(dict) = machine.run()? else { return Err(broken("it is no dictionary of tensors")) };
    let entries = std::mem::take(&mut machine.dicts[dict]);
    let tensor = |(name, value)| match (name, value) {
        (Value::Text(name), Value::Tensor(place)) => Ok((name, Rc::unwrap_or_clone(place))),
        (Value::Text(name), _) => Err(broken(&format!("`{name}` is no tensor"))),
        _ => Err(broken("a name is no text")),
    };
    entries.into_iter().map(tensor).collect()
}

fn broken(what: &str) -> Error {
    Error::msg(format!("the pickle cannot be read: {what}."))
}

struct Machine<'a> {
    left: &'a [u8],
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    dicts: Vec<Vec<(Value, Value)>>,
    /// What may still be remembered.
    room: usize,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Value> {
        loop {
            let [op] = self.bytes::<1>()?;
            match op {
                b'\x80' => match self.bytes::<1>()? {
                    [2..=5] => {}
                    [version] => return Err(broken(&format!("its protocol {version} is not known"))),
                },
                b'.' => return self.pop(),
                b'(' if self.marks.len() < STACK => self.marks.push(self.stack.len()),
                b'q' => self.remember(|machine| Ok(machine.bytes::<1>()?[0].into()))?,
                b'r' => self.remember(|machine| Ok(u32::from_le_bytes(machine.bytes()?)))?,
                b'h' => self.recall(|machine| Ok(machine.bytes::<1>()?[0].into()))?,
                b'j' => self.recall(|machine| Ok(u32::from_le_bytes(machine.bytes()?)))?,
                b'R' => self.reduce()?,
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set([key, value].into_iter())?;
                }
                b'u' => {
                    let entries = self.behind_mark()?;
                    self.set(entries.into_iter())?;
                }
                // The state of a dictionary: versions of modules.
                b'b' => {
                    let (_, Some(Value::Dict(_))) = (self.pop()?, self.stack.last()) else {
                        return Err(broken("what is no dictionary has a state"));
                    };
                }
                _ => {
                    let value = self.value(op)?;
                    self.push(value)?;
                }
            }
        }
    }

    /// The value that an opcode makes, of the bytes behind it or of the stack.
    fn value(&mut self, op: u8) -> Result<Value> {
        Ok(match op {
            b'N' => Value::None,
            b'\x88' | b'\x89' => Value::Flag,
            b'K' => Value::Int(self.bytes::<1>()?[0].into()),
            b'M' => Value::Int(u16::from_le_bytes(self.bytes()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.bytes()?).into()),
            b'\x8a' => self.long()?,
            b'X' => {
                let length = u32::from_le_bytes(self.bytes()?) as usize;
                let text = std::str::from_utf8(self.take(length)?).map_err(|_| broken("a text is not UTF-8"))?;
                Value::Text(text.into())
            }
            b'c' => self.global()?,
            b'}' => self.dict()?,
            b')' => Value::Tuple(Rc::new([]), 0),
            b'\x85'..=b'\x87' => {
                let count = usize::from(op - b'\x84');
                let at = self.stack.len().checked_sub(count).ok_or_else(|| broken("its stack is empty"))?;
                tuple(self.stack.split_off(at))?
            }
            b't' => tuple(self.behind_mark()?)?,
            b'Q' => self.storage()?,
            _ => return Err(broken(&format!("the opcode 0x{op:02x} is none that state dictionaries need"))),
        })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, left) = self.left.split_at_checked(count).ok_or_else(|| broken("it ends early"))?;
        self.left = left;
        Ok(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, left) = self.left.split_first_chunk().ok_or_else(|| broken("it ends early"))?;
        self.left = left;
        Ok(*taken)
    }

    fn line(&mut self) -> Result<&'a str> {
        let end = self.left.iter().position(|&byte| byte == b'\n').ok_or_else(|| broken("it ends early"))?;
        let line = self.take(end + 1)?;
        std::str::from_utf8(&line[..end]).map_err(|_| broken("a name is not UTF-8"))
    }

    fn push(&mut self, value: Value) -> Result<()> {
        if self.stack.len() == STACK {
            return Err(broken("its stack grows too high"));
        }
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(broken("its stack is empty"));
        }
        self.stack.pop().ok_or_else(|| broken("its stack is empty"))
    }

    fn behind_mark(&mut self) -> Result<Vec<Value>> {
        let at = self.marks.pop().filter(|&at| at <= self.stack.len()).ok_or_else(|| broken("a mark is missing"))?;
        Ok(self.stack.split_off(at))
    }

    fn remember(&mut self, index: impl Fn(&mut Self) -> Result<u32>) -> Result<()> {
        let index = index(self)?;
        let value = self.stack.last().cloned().ok_or_else(|| broken("its stack is empty"))?;
        self.take_room()?;
        self.memo.insert(index, value);
        Ok(())
    }

    fn take_room(&mut self) -> Result<()> {
        self.room = self.room.checked_sub(1).ok_or_else(|| broken("it remembers too much"))?;
        Ok(())
    }

    fn recall(&mut self, index: impl Fn(&mut Self) -> Result<u32>) -> Result<()> {
        let index = index(self)?;
        let value = self.memo.get(&index).cloned();
        self.push(value.ok_or_else(|| broken(&format!("the value {index} that it recalls is missing")))?)
    }

    /// An integer in two's complement of as few bytes as it needs.
    fn long(&mut self) -> Result<Value> {
        let length = usize::from(self.bytes::<1>()?[0]);
        let given = self.take(length)?;
        let negative = given.last().is_some_and(|&byte| byte >= 0x80);
        let mut bytes = [if negative { 0xff } else { 0 }; 8];
        bytes.get_mut(..length).ok_or_else(|| broken("a number has more than 64 bits"))?.copy_from_slice(given);
        Ok(Value::Int(i64::from_le_bytes(bytes)))
    }

    fn global(&mut self) -> Result<Value> {
        let (module, name) = (self.line()?, self.line()?);
        let known = Global::named(module, name);
        let unknown = || broken(&format!("`{module}.{name}` is none of the classes that state dictionaries need"));
        known.map(Value::Global).ok_or_else(unknown)
    }

    fn dict(&mut self) -> Result<Value> {
        self.take_room()?;
        self.dicts.push(Vec::new());
        Ok(Value::Dict(self.dicts.len() - 1))
    }

    /// Puts keys and values, one behind the other, into the dictionary on top of the stack.
    fn set(&mut self, mut entries: impl ExactSizeIterator<Item = Value>) -> Result<()> {
        let Some(&Value::Dict(dict)) = self.stack.last() else { return Err(broken("entries have no dictionary")) };
        if !entries.len().is_multiple_of(2) {
            return Err(broken("a key has no value"));
        }
        while let (Some(key), Some(value)) = (entries.next(), entries.next()) {
            self.take_room()?;
            self.dicts[dict].push((key, value));
        }
        Ok(())
    }

    fn reduce(&mut self) -> Result<()> {
        let (Value::Tuple(arguments, _), Value::Global(global)) = (self.pop()?, self.pop()?) else {
            return Err(broken("a call has no function or no arguments"));
        };
        let value = match (global, &arguments[..]) {
            (Global::OrderedDict, []) => self.dict()?,
            (Global::Parameter, [tensor @ Value::Tensor(_), ..]) => tensor.clone(),
            (
                Global::Tensor,
                [Value::Storage(dtype, storage), offset, Value::Tuple(dims, _), Value::Tuple(strides, _), ..],
            ) => {
                let Value::Int(offset) = *offset else { return Err(broken("an offset is no integer")) };
                let place = Place::new(*dtype, storage.clone(), offset, &ints(dims)?, &ints(strides)?);
                Value::Tensor(Rc::new(place.map_err(|e| broken(&e))?))
            }
            _ => return Err(broken("a call has arguments that torch.save does not write")),
        };
        self.push(value)
    }

    /// ('storage', class, name, device, elements)
    fn storage(&mut self) -> Result<Value> {
        if let Value::Tuple(id, _) = self.pop()?
            && let [Value::Text(kind), Value::Global(Global::Storage(dtype)), Value::Text(name), ..] = &id[..]
            && &**kind == "storage"
        {
            return Ok(Value::Storage(*dtype, name.clone()));
        }
        Err(broken("a storage is described in a way that torch.save does not write"))
    }
}

fn tuple(values: Vec<Value>) -> Result<Value> {
    let depth = |value: &Value| if let Value::Tuple(_, depth) = value { depth + 1 } else { 0 };
    match values.iter().map(depth).max().unwrap_or(0) {
        depth if depth > DEPTH => Err(broken("its tuples nest too deep")),
        depth => Ok(Value::Tuple(values.into(), depth)),
    }
}

fn ints(values: &[Value]) -> Result<Vec<i64>> {
    let int = |value: &Value| if let Value::Int(int) = value { Some(*int) } else { None };
    values.iter().map(int).collect::<Option<_>>().ok_or_else(|| broken("a shape is no list of integers"))
}
