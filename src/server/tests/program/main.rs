//! The program as whoever runs it meets it: its commands and their use cases, how it starts and stops, what its documents
//! say, databases of earlier versions, large inputs, and a machine that fails.
//!
//! To add a test: an `async fn` named in its file's `on_both!`.

#[macro_use]
extern crate ipack_testing;

mod catalogue_import;
mod commands;
mod documents;
mod existing;
mod faults;
mod growth;
mod one_writer;
mod operators;
mod races;
mod starting;
mod statements;
mod strangers;
