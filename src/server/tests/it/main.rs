//! Tests that need more than one module: against both databases, and over HTTP.
//!
//! `support` sets things up; `storage` is the contract of every repository function, `graphql` that of the API,
//! `http` that of pages and sessions; `keys` holds what is sealed, `oauth` what is got from identity providers, `faults`
//! what becomes of it all when the machine below fails; `existing` opens databases that an earlier version made. To add
//! a test: a file beside its kin, named after what it holds together.

// First, because its `on_both!` serves the others too.
#[macro_use]
mod storage;

mod documents;
mod existing;
mod faults;
mod graphql;
mod growth;
mod http;
mod keys;
mod oauth;
mod support;
