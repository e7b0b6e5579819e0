//! The connector details of one connection: the form with its drafts, and what the API saves and reads.

pub(crate) mod content;
pub mod details;
pub mod draft;
pub(crate) mod preflight;
pub(crate) mod state;
pub mod submission;
pub(crate) mod view;
