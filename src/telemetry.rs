//! Logs, on standard error: text on a terminal, JSON lines elsewhere.

use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Logs what `IPACK_LOG` asks for (a filter of tracing's), else from `info` on.
pub fn start() {
    let filter = EnvFilter::try_from_env("IPACK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    if std::io::stderr().is_terminal() {
        registry.with(fmt::layer().with_writer(std::io::stderr)).init();
    } else {
        registry.with(fmt::layer().json().with_writer(std::io::stderr)).init();
    }
}
