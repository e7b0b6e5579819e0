//! What tests stand on. A test names itself in `on_both!` and gets a database of its own, on SQLite and on PostgreSQL.
//!
//! `databases` makes these, `records` fills them, `logs` keeps a test's log, `growth` times. With the feature `server`,
//! `world` builds the whole program around a database; `browser` and `api` are who meets it, `provider` is an identity
//! provider, `flow` an admin's way to a token. Another setting of the world is a method of `world::Builder`.

// A test that cannot go on panics: that is how it says so.
#![allow(clippy::missing_panics_doc)]

mod macros;

pub mod databases;
pub mod growth;
pub mod logs;
pub mod records;
pub mod stored;
pub mod tables;

#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod browser;
#[cfg(feature = "server")]
pub mod flow;
#[cfg(feature = "server")]
pub mod hostile;
#[cfg(feature = "server")]
pub mod html;
#[cfg(feature = "server")]
pub mod network;
#[cfg(feature = "server")]
pub mod process;
#[cfg(feature = "server")]
pub mod provider;
#[cfg(feature = "server")]
pub mod sample;
#[cfg(feature = "server")]
pub mod world;
