//! What an account can install, has installed, and where: Spaces, packs, instances, environments.

pub mod attachments;
pub(crate) mod demo;
pub(crate) mod import;
pub mod instances;
pub mod overview;
pub mod page;
pub mod spaces;
