//! What a person sees: pages that the server renders, and the connector form, which wakes up in the browser.
//!
//! Compiled twice: with `ssr` for the server, with `hydrate` for the browser, where nothing but [`form`] and what it
//! needs is.
#![recursion_limit = "256"]

pub mod components;
pub mod error;
pub mod form;
pub mod functions;
pub mod views;

#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod compose;
#[cfg(feature = "ssr")]
pub mod context;
#[cfg(feature = "ssr")]
pub mod flow_cookie;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod panels;
#[cfg(feature = "ssr")]
pub mod request_context;
#[cfg(feature = "ssr")]
pub mod shell;
