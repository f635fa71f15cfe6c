//! `mlx-lm generate`.

use super::{AnswerArgs, ModelArgs, terminal};
use clap::Args;
use mlx_lm::{Error, Model, Options, Result, Statistics};
use std::io::Read;

/// Answer one prompt.
#[derive(Args)]
pub struct Generate {
    #[command(flatten)]
    model: ModelArgs,
    /// The prompt; `-` reads it from standard input.
    #[arg(short, long)]
    prompt: String,
    /// A system message.
    #[arg(long, visible_alias = "system-prompt", conflicts_with = "ignore_chat_template")]
    system: Option<String>,
    /// Continue the prompt as plain text, without the model's chat template.
    #[arg(long, visible_alias = "raw")]
    ignore_chat_template: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

impl Generate {
    /// Loads the model and prints its answer.
    pub fn run(&self) -> Result<()> {
        let mut prompt = self.prompt.clone();
        if prompt == "-" {
            prompt.clear();
            let failed = |e| Error::msg(format!("Standard input cannot be read: {e}."));
            std::io::stdin().read_to_string(&mut prompt).map_err(failed)?;
        }
        if prompt.is_empty() {
            return Err(Error::msg("The option `--prompt` is empty: it needs at least one character."));
        }
        terminal::catch_interrupts()?;
        let model = self.model.load(self.answer.json)?;
        terminal::answering(true);
        let options = self.answer.options();
        let plain = self.ignore_chat_template || model.tokenizer().chat_template()?.is_none();
        let (text, statistics) = match plain {
            true => self.complete(&model, &prompt, options)?,
            false => self.reply(&model, &prompt, options)?,
        };
        match self.answer.json {
            true => println!("{}", terminal::answer_json(&text, &statistics)),
            false => {
                println!();
                terminal::print_statistics(&statistics);
            }
        }
        Ok(())
    }

    fn complete(&self, model: &Model, prompt: &str, options: Options) -> Result<(String, Statistics)> {
        let mut stream = model.stream(prompt, options)?;
        let mut text = String::new();
        while let Some(piece) = stream.next().transpose()? {
            if !self.show(&piece, &mut text) {
                stream.cancel();
            }
        }
        Ok((text, stream.statistics()))
    }

    fn reply(&self, model: &Model, prompt: &str, options: Options) -> Result<(String, Statistics)> {
        let mut chat = model.chat();
        if let Some(system) = &self.system {
            chat = chat.system(system);
        }
        let mut answer = chat.ask(prompt, options)?;
        let mut text = String::new();
        while let Some(piece) = answer.next().transpose()? {
            if !self.show(&piece, &mut text) {
                answer.cancel();
            }
        }
        Ok((text, answer.statistics()))
    }

    /// Prints a piece or keeps it for the JSON; false to end the answer.
    fn show(&self, piece: &str, text: &mut String) -> bool {
        text.push_str(piece);
        (self.answer.json || terminal::print_piece(piece)) && !terminal::interrupted()
    }
}
