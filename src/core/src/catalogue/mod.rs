//! What an account can install, has installed, and where: packs, instances, environments.

pub(crate) mod demo;
pub(crate) mod import;
pub mod instances;
pub mod overview;
