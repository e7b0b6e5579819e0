//! Client secrets and passwords: sealed once, never shown again, bound to where they may be sent.

pub mod credentials;
pub(crate) mod sealing;
pub mod slots;
pub(crate) mod typed;
