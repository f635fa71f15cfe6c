//! What each token id adds to the text, worked out once so that streaming costs the same for every token.

use serde_json::{Value, json};

use crate::{Error, Result};

/// How token strings become text, for the decoders that can run one token at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes; invalid ones become U+FFFD as `String::from_utf8_lossy` does it.
    ByteLevel,
    /// Text and byte tokens: a run of byte tokens is valid UTF-8 or all U+FFFD. One leading space may go.
    Spm { strip: bool },
    /// Anything else is decoded by the tokenizers crate over a window of recent ids.
    Window,
}

#[derive(Clone, Copy)]
struct Span {
    start: u32,
    len: u32,
    flags: u8,
}

const KNOWN: u8 = 1;
const SPECIAL: u8 = 2;
/// The token stands for one byte, not for text.
const BYTE: u8 = 4;

/// One token's share of the text.
pub(super) struct Piece<'a> {
    pub bytes: &'a [u8],
    pub special: bool,
    pub is_byte: bool,
}

pub(super) struct Pieces {
    pub kind: Kind,
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl Pieces {
    pub fn new(model: &tokenizers::Tokenizer) -> Result<Self> {
        let added = model.get_added_vocabulary();
        let kind = kind(model)?;
        let vocab = model.get_vocab(true);
        let len = vocab.values().max().map_or(0, |&id| id as usize + 1);
        // Ids index a table, so a stray huge id must not decide its size.
        if len > (1 << 24) {
            return Err(Error::msg(format!(
                "The tokenizer has the token id {}, but ids below 2^24 are expected.",
                len - 1
            )));
        }
        let byte_of = byte_level_table();
        let mut pieces = Self { kind, bytes: Vec::new(), spans: Vec::with_capacity(len) };
        for id in 0..len as u32 {
            // `decode` asks the model this way, which matters where two names share an id.
            let Some(token) = model.id_to_token(id) else {
                pieces.spans.push(Span { start: 0, len: 0, flags: 0 });
                continue;
            };
            let start = pieces.bytes.len();
            let is_byte = match kind {
                Kind::ByteLevel => push_byte_level(&mut pieces.bytes, &token, &byte_of),
                Kind::Spm { .. } => push_spm(&mut pieces.bytes, &token),
                Kind::Window => false,
            };
            let special = if added.is_special_token(&token) { SPECIAL } else { 0 };
            let flags = KNOWN | special | if is_byte { BYTE } else { 0 };
            pieces.spans.push(Span { start: start as u32, len: (pieces.bytes.len() - start) as u32, flags });
        }
        Ok(pieces)
    }

    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn get(&self, id: u32) -> Option<Piece<'_>> {
        let span = self.spans.get(id as usize).filter(|span| span.flags & KNOWN != 0)?;
        let bytes = &self.bytes[span.start as usize..][..span.len as usize];
        Some(Piece { bytes, special: span.flags & SPECIAL != 0, is_byte: span.flags & BYTE != 0 })
    }

    pub fn is_special(&self, id: u32) -> bool {
        self.get(id).is_some_and(|piece| piece.special)
    }
}

fn kind(model: &tokenizers::Tokenizer) -> Result<Kind> {
    let Some(decoder) = model.get_decoder() else { return Ok(Kind::Window) };
    let decoder = serde_json::to_value(decoder)
        .map_err(|e| Error::msg(format!("The tokenizer's decoder cannot be inspected: {e}.")))?;
    if decoder["type"] == "ByteLevel" {
        return Ok(Kind::ByteLevel);
    }
    let steps = match &decoder["decoders"] {
        Value::Array(steps) if decoder["type"] == "Sequence" => steps.as_slice(),
        _ => return Ok(Kind::Window),
    };
    let spm = [
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    let strip = json!({"type": "Strip", "content": " ", "start": 1, "stop": 0});
    Ok(match steps.strip_prefix(&spm) {
        Some([]) => Kind::Spm { strip: false },
        Some([last]) if *last == strip => Kind::Spm { strip: true },
        _ => Kind::Window,
    })
}

/// GPT-2's alphabet: printable bytes stand for themselves, the others for characters from U+0100 on, in order.
fn byte_level_table() -> [Option<u8>; 0x144] {
    let mut table = [None; 0x144];
    let mut next = 0x100;
    for byte in 0..=255u8 {
        let printable = matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
        let char = if printable { usize::from(byte) } else { next };
        table[char] = Some(byte);
        next += usize::from(!printable);
    }
    table
}

/// A token with any character outside the alphabet (an added token) stands for itself.
fn push_byte_level(out: &mut Vec<u8>, token: &str, byte_of: &[Option<u8>]) -> bool {
    let bytes = token.chars().map(|c| byte_of.get(c as usize).copied().flatten());
    match bytes.collect::<Option<Vec<u8>>>() {
        Some(bytes) => out.extend(bytes),
        None => out.extend(token.as_bytes()),
    }
    false
}

/// Says whether the token is a byte such as `<0x0A>`.
fn push_spm(out: &mut Vec<u8>, token: &str) -> bool {
    let text = token.replace('▁', " ");
    let hex = text.strip_prefix("<0x").and_then(|t| t.strip_suffix('>')).filter(|hex| hex.len() == 2);
    match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
        Some(byte) => out.push(byte),
        None => out.extend(text.as_bytes()),
    }
    hex.is_some_and(|hex| u8::from_str_radix(hex, 16).is_ok())
}
