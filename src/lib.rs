//! iPack Connect keeps the OAuth connector details of integration packs.
//!
//! One package, compiled twice: with `ssr` it is the server, with `hydrate` the browser's half of the pages.
//! This file is the map: every module is named here, and every gate between the two halves stands here.
//!
//! A new module gets its line here, behind the gate of the half that needs it.
#![recursion_limit = "256"]

pub mod components;
pub mod domain;
pub mod error;
pub mod functions;

#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod effects;
#[cfg(feature = "ssr")]
pub mod graphql;
#[cfg(feature = "ssr")]
pub mod oauth;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod services;
#[cfg(feature = "ssr")]
pub mod storage;
#[cfg(feature = "ssr")]
pub mod telemetry;
#[cfg(feature = "ssr")]
pub mod vault;

#[cfg(all(test, feature = "ssr"))]
mod tests;

/// Called by the page that has something to wake up.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    components::connector_form::wake_up();
}
