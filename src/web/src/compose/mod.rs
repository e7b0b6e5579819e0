//! From what the use cases answer to what the pages show.

pub mod catalogue;
pub mod connector;
pub mod credentials;
pub mod provider_facts;
