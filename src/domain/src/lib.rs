//! The words everybody uses: ids, connector details, the form and its rules. Knows nobody: no SQL, no HTTP,
//! no GraphQL, no Leptos. Compiled for the server and for the browser.

pub mod about;
pub mod button;
pub mod catalogue;
pub mod connection_state;
pub mod details;
#[cfg(feature = "effects")]
pub mod effects;
pub mod error;
pub mod fields;
pub mod form;
pub mod form_place;
pub mod ids;
pub mod merge;
mod parameter;
pub mod parts;
pub mod post;
pub mod preflight;
pub mod provider;
pub mod rights;
mod secret_key;
pub mod suggestions;
pub mod time;
pub mod tokens;
pub mod trim;
pub mod validation;
