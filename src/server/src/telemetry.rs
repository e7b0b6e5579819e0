//! Logs, on standard error: text on a terminal, JSON lines elsewhere.

use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Logs what `IPACK_LOG` asks for (a filter of tracing's), else from `info` on.
///
/// # Errors
/// With a sentence where it asks for nothing that there is.
pub fn start() -> Result<(), String> {
    let filter = filter(&std::env::var("IPACK_LOG").unwrap_or_default())?;
    let registry = tracing_subscriber::registry().with(filter);
    if std::io::stderr().is_terminal() {
        registry.with(fmt::layer().with_writer(std::io::stderr)).init();
    } else {
        registry.with(fmt::layer().json().with_writer(std::io::stderr)).init();
    }
    Ok(())
}

fn filter(text: &str) -> Result<EnvFilter, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let text = if text.trim().is_empty() { "info" } else { text.trim() };
    let refused = |why: &str| {
        format!(
            "IPACK_LOG: {text:?} {why}; expected a level ({}) or a filter such as info,sqlx=debug",
            LEVELS.join(", ")
        )
    };
    // A single word that is no level would be a module's name, and everything else would fall silent.
    let is_word = text.chars().all(char::is_alphanumeric);
    if is_word && !LEVELS.contains(&text.to_lowercase().as_str()) {
        return Err(refused("is no level"));
    }
    EnvFilter::builder().parse(text).map_err(|error| refused(&format!("is no filter ({error})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_makes_no_sense_is_refused() {
        for fine in ["", " ", "info", "WARN", "off", "info,sqlx=debug", "ipack_connect::server=trace"] {
            filter(fine).unwrap_or_else(|error| panic!("{fine:?}: {error}"));
        }
        for wrong in ["inof", "7", "info,sqlx=loud", "a=b=c", "[", "info;debug=info="] {
            let error = filter(wrong).map(drop).expect_err(wrong);
            assert!(error.contains("IPACK_LOG") && error.contains(wrong), "{error}");
        }
    }
}
