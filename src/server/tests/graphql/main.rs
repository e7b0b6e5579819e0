//! The API as its clients meet it, on both databases: every operation, everything that can be wrong with a request,
//! and what must not get out.
//!
//! To add a test: an `async fn` that takes a [`Database`](ipack_storage::Database), named in its file's `on_both!`,
//! with the number of the security requirement in its name where it shows one. A new operation gets a line in
//! `operations` too, which holds it to tenancy and rights.

#[macro_use]
extern crate ipack_testing;

mod attachments;
mod audit;
mod auth;
mod bad_input;
mod catalogue;
mod hostile;
mod http;
mod limits;
mod operations;
mod rights;
mod schema;
mod secrets;
mod seed;
mod spaces;
mod tenancy;
mod walk;
