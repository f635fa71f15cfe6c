//! The server's life: from a model to a port, until a signal.

use super::engine::Engine;
use super::intake::{self, Intake, Tokens, Vectors};
use super::metrics::Metrics;
use super::routes::{Served, router};
use crate::{Embedder, Overlong, Reranker, ScoreOptions};
use axum::serve::ListenerExt;
use mlx_nn::{Error, Result};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The name or address to listen at.
    pub host: String,
    /// The port; 0 for any that is free.
    pub port: u16,
    /// What clients have to send as `Authorization: Bearer <key>`, if anything.
    pub api_key: Option<String>,
    /// The most tokens that go through the model before other requests get their turn. More take longer, and are faster on a GPU.
    pub max_batch_tokens: usize,
    /// The most requests that are answered or wait at a time; others get the status 429.
    pub max_requests: usize,
    /// The most texts of a request; others get the status 413.
    pub max_texts: usize,
    /// The most bytes of a request's body; others get the status 413.
    pub max_body_bytes: usize,
    /// What becomes of a text with more tokens than the model takes, where the request does not say it.
    pub overlong: Overlong,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 8080,
            api_key: None,
            max_batch_tokens: 4096,
            max_requests: 512,
            max_texts: 2048,
            max_body_bytes: 8 << 20,
            overlong: Overlong::Truncate,
        }
    }
}

/// What a reranker says of a pair of texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The model's own number.
    pub raw: f32,
    /// What its activation makes of that, between 0 and 1 for most.
    pub activated: f32,
}

/// What the pairs of a batch get.
pub type Scores = Result<Vec<Score>>;

impl Reranker {
    /// The scores of pairs as [`Server::reranker`] wants them. An error for a model of several labels.
    pub fn scorer(self) -> Result<impl Fn(&[(&str, &str)]) -> Scores> {
        if self.labels() != 1 {
            let labels = self.labels();
            return Err(Error::msg(format!("The model gives a pair {labels} scores; documents are ranked by one.")));
        }
        let options = ScoreOptions { raw: true, ..ScoreOptions::default() };
        Ok(move |pairs: &[(&str, &str)]| {
            let raw = self.predict(pairs, &options)?;
            let activated = self.activated(&raw)?;
            Ok(raw.into_iter().zip(activated).map(|(raw, activated)| Score { raw, activated }).collect())
        })
    }
}

/// The models that can be served, each on its thread.
pub enum Model {
    Embedder(Vectors, Arc<Intake>),
    Reranker(Engine<(String, String), Score>),
}

/// A server that runs on threads of its own. Dropping it stops it as [`Server::stop`] does.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Server {
    /// Serves the vectors of a model under the name `name`. `load` runs on the model's thread.
    ///
    /// An error if the model cannot be loaded or the port not be taken.
    pub fn embedder<L>(name: &str, load: L, options: &ServeOptions) -> Result<Self>
    where
        L: FnOnce() -> Result<Embedder> + Send + 'static,
    {
        // A port that is taken is found out before the model is loaded.
        let listener = listen(options)?;
        let (engine, intake) = Engine::start(options.max_batch_tokens, move || {
            let model = load()?;
            Ok((Intake::of(&model)?, move |batch: &[(usize, Tokens)]| intake::embed(&model, batch)))
        })?;
        Self::start(listener, name, Model::Embedder(engine, Arc::new(intake)), options)
    }

    /// Serves the scores of pairs, a query and a text, under the name `name`. `load` runs on the model's thread; what it gives
    /// scores some pairs at a time. An error names the text whose score is not finite.
    pub fn reranker<L, F>(name: &str, load: L, options: &ServeOptions) -> Result<Self>
    where
        L: FnOnce() -> Result<F> + Send + 'static,
        F: Fn(&[(&str, &str)]) -> Scores,
    {
        let listener = listen(options)?;
        let (engine, ()) = Engine::start(options.max_batch_tokens, move || {
            let predict = load()?;
            let run = move |batch: &[(usize, (String, String))]| {
                let pairs: Vec<(&str, &str)> = batch.iter().map(|(_, (a, b))| (a.as_str(), b.as_str())).collect();
                let scores = predict(&pairs)?;
                let bad =
                    batch.iter().zip(&scores).find(|(_, score)| !score.raw.is_finite() || !score.activated.is_finite());
                match bad {
                    Some(((i, _), _)) => Err(Error::msg(format!("The score of text {i} is not finite."))),
                    None => Ok(scores),
                }
            };
            Ok(((), run))
        })?;
        Self::start(listener, name, Model::Reranker(engine), options)
    }

    fn start(listener: TcpListener, name: &str, model: Model, options: &ServeOptions) -> Result<Self> {
        let failed = |e: std::io::Error| Error::msg(format!("The server cannot start: {e}."));
        let address = listener.local_addr().map_err(failed)?;
        let options = options.clone();
        let served = Arc::new(Served { name: name.to_owned(), model, options, metrics: Metrics::default() });
        let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let work = move || {
            runtime.block_on(async {
                // Else the end of a long answer waits for the client's word of its beginning; where that cannot be set it does.
                let listener =
                    tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| drop(stream.set_nodelay(true)));
                // A sender that is dropped means the same.
                let end = async move { drop(stopped.await) };
                axum::serve(listener, router(served)).with_graceful_shutdown(end).await
            })
        };
        let thread =
            std::thread::Builder::new().name("server".into()).spawn(move || work().map_err(failed)).map_err(failed)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, answers those that have come, and ends.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    /// Serves until the process gets SIGINT or SIGTERM, then ends as [`Server::stop`] does. A second signal ends the process.
    pub fn wait(mut self) -> Result<()> {
        let failed = |e: std::io::Error| Error::msg(format!("Signals cannot be waited for: {e}."));
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(failed)?;
        let (mut interrupt, mut terminate) = runtime
            .block_on(async { Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)) })
            .map_err(failed)?;
        let (first, came) = oneshot::channel();
        runtime.spawn(async move {
            one_of(&mut interrupt, &mut terminate).await;
            // The other end waits until this is sent.
            let _ = first.send(());
            one_of(&mut interrupt, &mut terminate).await;
            std::process::exit(130);
        });
        // Nothing but a signal ends this wait.
        let _ = came.blocking_recv();
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        drop(self.stop.take());
        let panicked = |_| Error::msg("The server's thread panicked.");
        self.thread.take().map_or(Ok(()), |thread| thread.join().map_err(panicked)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Who wants to hear of a failure calls `stop`.
        let _ = self.end();
    }
}

async fn one_of(a: &mut tokio::signal::unix::Signal, b: &mut tokio::signal::unix::Signal) {
    std::future::poll_fn(|context| match a.poll_recv(context) {
        std::task::Poll::Pending => b.poll_recv(context),
        ready => ready,
    })
    .await;
}

fn listen(options: &ServeOptions) -> Result<TcpListener> {
    let ServeOptions { host, port, .. } = options;
    let failed = |e: std::io::Error| Error::msg(format!("{host}:{port} cannot be listened at: {e}."));
    let listener = TcpListener::bind((host.as_str(), *port)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}
