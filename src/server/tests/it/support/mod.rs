//! What several kinds of tests stand on. Whatever only one kind needs stays beside it.
//!
//! To add a support: a file here that hands out one ready thing and clears it away again.

pub mod app;
pub mod databases;
pub mod growth;
pub mod logs;
pub mod stored;
