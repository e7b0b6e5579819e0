//! iPack Connect keeps the OAuth connector details of integration packs.
//!
//! One package, compiled twice: with `ssr` it is the server, with `hydrate` the browser's half of the pages.
//! This file is the map: every module is named here, and every gate between the two halves stands here.
#![recursion_limit = "256"]

pub mod domain;
pub mod error;

#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
pub mod effects;
#[cfg(feature = "ssr")]
pub mod services;
#[cfg(feature = "ssr")]
pub mod storage;

#[cfg(all(test, feature = "ssr"))]
mod tests;
