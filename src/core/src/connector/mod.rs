//! The connector details of one connection: the form with its drafts, and what the API saves and reads.

pub mod carried;
pub mod content;
pub mod details;
pub mod draft;
pub mod fingerprint;
pub mod page_data;
pub mod preflight;
pub mod provider_settings;
pub mod record;
pub mod state;
pub mod status;
pub mod submission;
pub(crate) mod submit;
