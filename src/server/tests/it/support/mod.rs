//! What several kinds of tests stand on. Whatever only one kind needs stays beside it.

pub mod app;
pub mod databases;
pub mod growth;
pub mod logs;
pub mod stored;
