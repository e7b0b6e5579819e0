//! The program: command line, configuration, router, sessions, the site's files, health and telemetry.
#![recursion_limit = "256"]

pub mod assets;
mod carry;
pub mod cli;
pub mod config;
pub mod connections;
mod error_page;
pub mod health;
mod known_browser;
pub mod load_keyring;
pub mod middleware;
mod oauth_pages;
pub mod router;
pub mod serve;
pub mod session_store;
pub mod sign_in;
pub mod sign_in_limits;
pub mod state;
mod telemetry;
mod unsaved;
