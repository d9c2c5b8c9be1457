//! Diagnostics on standard error, for who asks with `--verbose`.

use std::io::{self, IsTerminal as _};

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// From here on this process tells what it does.
pub(crate) fn start() {
    let layer = fmt::layer().with_writer(io::stderr);
    // On a terminal `NO_COLOR` decides, as the layer does by itself.
    let layer = if io::stderr().is_terminal() { layer } else { layer.with_ansi(false) };
    // What our crates tell; what the HTTP client's do would drown it.
    let ours = Targets::new().with_target("bpf", Level::DEBUG);
    // A second start in one process changes nothing.
    let _ = tracing_subscriber::registry().with(ours).with(layer).try_init();
}

/// Whether somebody listens.
pub(crate) fn is_on() -> bool {
    tracing::enabled!(Level::DEBUG)
}
