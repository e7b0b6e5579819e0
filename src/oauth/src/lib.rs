//! OAuth 2.0, the client's half: where to authorize, with what, and what the answers mean. Knows no database and no
//! HTTP server.
//!
//! ```text
//! presets/ ─▶ presets ─▶ provider ◀─ the form's content
//!                               │
//!             discovery ─▶ configuration ─▶ authorize ─▶ (browser) ─▶ callback
//!                 │             └─────────▶ token ◀───────────────────────┘
//!                 └─▶ outbound ◀──────────────┘        advice, causes: what went wrong, what to do
//! ```
//!
//! It is written here and not taken from the crate `oauth2`: that one models a client for one provider that keeps to
//! the RFCs. This one is a client of many providers that do not; what each of them needs is data (a preset, the form),
//! not a type; an answer that a strict reader refuses still has to end as a sentence for an admin; and a secret must
//! not get into an error.
//!
//! All calls to the outside go through [`outbound`]. To add a provider: a table in a file under `presets/`. To add a
//! grant: its parameters in [`token`], its name in [`Grant`](ipack_domain::provider::Grant). To add a way of proving the
//! client: [`authentication`].

pub mod addresses;
pub mod advice;
pub mod authentication;
pub mod authorize;
pub mod callback;
pub mod causes;
pub mod configuration;
pub mod discovery;
pub mod endpoints;
pub mod failure;
pub mod outbound;
pub mod presets;
#[cfg(test)]
mod presets_tests;
mod private_key;
pub mod provider;
pub mod token;
pub mod token_answer;
