//! Server functions: the door that pages come in by. Each finds out who asks, hands over to `services`, and turns
//! what went wrong into an [`AppError`](crate::error::AppError).
//!
//! A new one has a fixed `endpoint`, answers reads by GET and everything else by POST, and begins with
//! `Door::of_request()`, which refuses whoever is not signed in.

pub mod catalogue;
pub mod connector;
pub mod session;
