//! A tokenizer from the metadata of a GGUF file.

use tokenizers::AddedToken;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::normalizers::unicode::NFC;

use super::pre::Pre;
use super::{Special, Tokenizer, spm};
use crate::Result;
use crate::chat::ChatTemplate;
use crate::gguf::{Header, Value};

const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const NORMAL: i64 = 1;

pub(super) fn load(header: &Header) -> Result<Tokenizer> {
    let source = Source::read(header)?;
    let model: &str = header.require("tokenizer.ggml.model")?;
    let (mut tokenizer, add_bos) = match model {
        "gpt2" => source.byte_level()?,
        "llama" => source.sentence_piece()?,
        _ => {
            return Err(header.error(format!("has the tokenizer model \"{model}\", but gpt2 or llama is expected")));
        }
    };
    source.add_tokens(&mut tokenizer)?;
    let special = source.special(model, add_bos)?;
    let chat = source.chat(&special);
    Tokenizer::new(tokenizer, special, chat)
}

struct Source<'a> {
    header: &'a Header,
    tokens: std::borrow::Cow<'a, [String]>,
    types: Option<&'a [i64]>,
    vocab: Vocab,
    gemma: bool,
}

impl<'a> Source<'a> {
    fn read(header: &'a Header) -> Result<Self> {
        let stored: &[String] = header.require("tokenizer.ggml.tokens")?;
        let architecture: Option<&str> = header.get("general.architecture")?;
        let gemma = architecture.is_some_and(|name| name.starts_with("gemma"));
        // Gemma's files spell runs of spaces as spaces, where its vocabulary has `▁`.
        let respell = |token: &String| match token.len() > 1 && token.bytes().all(|b| b == b' ') {
            true => "▁".repeat(token.len()),
            false => token.clone(),
        };
        let tokens: std::borrow::Cow<[String]> = match gemma {
            true => stored.iter().map(respell).collect::<Vec<_>>().into(),
            false => stored.into(),
        };
        let types: Option<&[i64]> = header.get("tokenizer.ggml.token_type")?;
        if let Some(types) = types.filter(|types| types.len() != tokens.len()) {
            return Err(header.error(format!(
                "has {} entries in \"tokenizer.ggml.token_type\", but {} are expected, one for each token",
                types.len(),
                tokens.len()
            )));
        }
        let mut vocab = Vocab::with_capacity(tokens.len());
        for (id, token) in tokens.iter().enumerate() {
            if let Some(first) = vocab.insert(token.clone(), id as u32) {
                return Err(header.error(format!("has the token {token:?} twice, as {first} and {id}")));
            }
        }
        Ok(Self { header, tokens, types, vocab, gemma })
    }

    fn token_type(&self, id: usize) -> i64 {
        self.types.map_or(NORMAL, |types| types[id])
    }

    /// Byte-level BPE, and whether texts start with `<bos>` by default.
    fn byte_level(&self) -> Result<(tokenizers::Tokenizer, bool)> {
        let name: &str = self.header.get("tokenizer.ggml.pre")?.unwrap_or("default");
        let pre = Pre::named(name).ok_or_else(|| {
            let names = Pre::names();
            self.header.error(format!("has the unknown pre-tokenizer \"{name}\"; known are {names}"))
        })?;
        let merges = self.stored_merges()?.ok_or_else(|| self.header.error("lacks \"tokenizer.ggml.merges\""))?;
        let model = BPE::builder()
            .vocab_and_merges(self.vocab.clone(), merges)
            .ignore_merges(pre.ignore_merges)
            .build()
            .map_err(|e| self.header.error(format!("has merges that do not fit its tokens: {e}")))?;
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        if pre.nfc {
            self.checked(tokenizer.with_normalizer(Some(NFC)))?;
        }
        tokenizer.with_pre_tokenizer(Some(pre.pre_tokenizer()?));
        tokenizer.with_decoder(Some(ByteLevel::default()));
        Ok((tokenizer, pre.add_bos))
    }

    /// SentencePiece BPE, which starts texts with `<bos>` by default.
    fn sentence_piece(&self) -> Result<(tokenizers::Tokenizer, bool)> {
        let merges = match self.stored_merges()? {
            Some(merges) => merges,
            None => self.merges_from_scores()?,
        };
        let mut model = BPE::builder().vocab_and_merges(self.vocab.clone(), merges).fuse_unk(true).byte_fallback(true);
        let unk = self.header.get::<u32>("tokenizer.ggml.unknown_token_id")?.unwrap_or(0);
        if let Some(token) = self.tokens.get(unk as usize) {
            model = model.unk_token(token.clone());
        }
        let model =
            model.build().map_err(|e| self.header.error(format!("has merges that do not fit its tokens: {e}")))?;
        let add_prefix = self.header.get("tokenizer.ggml.add_space_prefix")?.unwrap_or(!self.gemma);
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        self.checked(tokenizer.with_normalizer(Some(spm::normalizer(add_prefix)?)))?;
        tokenizer.with_decoder(Some(spm::decoder(add_prefix)?));
        Ok((tokenizer, true))
    }

    fn stored_merges(&self) -> Result<Option<Merges>> {
        let Some(lines) = self.header.get::<&[String]>("tokenizer.ggml.merges")? else { return Ok(None) };
        let split = |line: &String| {
            // The left part is never empty, so a first space belongs to it.
            let at = line.char_indices().skip(1).find(|&(_, c)| c == ' ').map(|(at, _)| at);
            at.map(|at| (line[..at].to_owned(), line[at + 1..].to_owned()))
                .ok_or_else(|| self.header.error(format!("has the merge {line:?}, but two parts are expected")))
        };
        lines.iter().map(split).collect::<Result<_>>().map(Some)
    }

    fn merges_from_scores(&self) -> Result<Merges> {
        let scores: &[f64] = self.header.require("tokenizer.ggml.scores")?;
        if scores.len() != self.tokens.len() {
            return Err(self.header.error(format!(
                "has {} entries in \"tokenizer.ggml.scores\", but {} are expected, one for each token",
                scores.len(),
                self.tokens.len()
            )));
        }
        let mergeable = |id| matches!(self.token_type(id), NORMAL | USER_DEFINED);
        // Gemma's scores do not follow the order of its merges; its ids do, after the user-defined runs of spaces and
        // the like, of which the longest match wins.
        let rank = |id: usize| match (self.gemma, self.token_type(id)) {
            (false, _) => scores[id],
            (true, USER_DEFINED) => 1.0,
            (true, _) => -(id as f64),
        };
        Ok(spm::merges(&self.tokens, rank, mergeable, &self.vocab))
    }

    /// Control tokens are special; user-defined ones are matched whole but are text.
    fn add_tokens(&self, tokenizer: &mut tokenizers::Tokenizer) -> Result<()> {
        let added = |id: usize| match self.token_type(id) {
            CONTROL | UNKNOWN => Some(AddedToken::from(self.tokens[id].clone(), true).normalized(false)),
            USER_DEFINED => Some(AddedToken::from(self.tokens[id].clone(), false).normalized(false)),
            _ => None,
        };
        self.checked(tokenizer.add_tokens((0..self.tokens.len()).filter_map(added)))?;
        Ok(())
    }

    fn special(&self, model: &str, add_bos: bool) -> Result<Special> {
        let id = |key: &str| -> Result<Option<u32>> {
            let key = format!("tokenizer.ggml.{key}_token_id");
            match self.header.get::<u32>(&key)? {
                Some(id) if id as usize >= self.tokens.len() => Err(self
                    .header
                    .error(format!("has \"{key}\" = {id}, but there are only {} tokens", self.tokens.len()))),
                id => Ok(id),
            }
        };
        let spm = model == "llama";
        let bos = id("bos")?.or(spm.then_some(1));
        let eos = id("eos")?.or(spm.then_some(2));
        let mut ends: Vec<u32> = eos.into_iter().chain(id("eot")?).chain(id("eom")?).collect();
        ends.dedup();
        let wanted = |key: &str, default| -> Result<bool> { Ok(self.header.get::<bool>(key)?.unwrap_or(default)) };
        let add_bos = wanted("tokenizer.ggml.add_bos_token", add_bos)?;
        let add_eos = wanted("tokenizer.ggml.add_eos_token", false)?;
        let before = bos.filter(|_| add_bos).into_iter().collect();
        let after = eos.filter(|_| add_eos).into_iter().collect();
        let (pad, unk, mask) = (id("padding")?, id("unknown")?, id("mask")?);
        Ok(Special { bos, pad, unk, mask, eos: ends, typed: false, around: Some((before, after)) })
    }

    /// `tokenizer.chat_template`, with the named ones beside it as `tokenizer.chat_template.<name>`.
    fn chat(&self, special: &Special) -> Result<Option<ChatTemplate>> {
        const KEY: &str = "tokenizer.chat_template";
        let mut templates = Vec::new();
        for (key, value) in self.header.metadata() {
            match (key.strip_prefix(KEY), value) {
                (Some(""), Value::Str(source)) => templates.push(("default".to_owned(), source.clone())),
                (Some(name), Value::Str(source)) if name.starts_with('.') => {
                    templates.push((name[1..].to_owned(), source.clone()));
                }
                _ => {}
            }
        }
        if templates.is_empty() {
            return Ok(None);
        }
        let eos = special.eos.first().copied();
        let names =
            [("bos_token", special.bos), ("eos_token", eos), ("pad_token", special.pad), ("unk_token", special.unk)];
        let tokens = names.into_iter().filter_map(|(name, id)| {
            let token = self.tokens.get(id? as usize)?;
            Some((name.to_owned(), token.clone()))
        });
        ChatTemplate::named(templates, tokens.collect()).map(Some).map_err(|e| {
            self.header
                .error(format!("has a chat template that cannot be used: {}", e.to_string().trim_end_matches('.')))
        })
    }

    fn checked<T>(&self, result: tokenizers::Result<T>) -> Result<T> {
        result.map_err(|e| self.header.error(format!("has a tokenizer that cannot be built: {e}")))
    }
}
