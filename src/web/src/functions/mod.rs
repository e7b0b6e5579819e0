//! Server functions: how pages ask. Each finds out who asks, hands over to `ipack-core`, and turns
//! what went wrong into an [`RequestError`](crate::error::RequestError).
//!
//! A new one has a fixed `endpoint`, answers reads by GET and everything else by POST, and begins with
//! `RequestContext::of_request()`, which refuses whoever is not signed in.

pub mod catalogue;
pub mod connector;
pub mod session;
