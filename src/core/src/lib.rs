//! Use cases: authorise, decide, write. Pages and the API are two doors to the same rooms.
//!
//! A use case is a method of [`Services`] in the folder of its subject. It takes who asks, checks through [`access`]
//! what they may see, and answers a record, or a [`ServiceError`] in the words of the subject. Nothing in here knows a
//! page or GraphQL.

pub mod access;
pub mod accounts;
pub mod caller_limits;
pub mod catalogue;
pub mod connector;
pub mod error;
pub mod health;
pub mod housekeeping;
pub mod keys;
pub(crate) mod persist;
pub mod secrets;
pub mod services;
pub mod start;
pub mod tokens;
mod write_turns;

pub use error::{Result, ServiceError};
pub use services::{OAuth, Services};
pub use start::Setup;
