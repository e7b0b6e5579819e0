//! What clients send.

mod catalogue;
mod connector;
mod given;
mod token;

pub use catalogue::{AccountCriteria, AttachInput, InstallInput, PageInput};
pub use connector::{EncryptInput, FindInput, SaveInput};
pub(crate) use given::library_kinds;
pub use given::{Given, Id, Kind, RequiredId, Secret, ToSeal, must_be};
pub use token::{StatusPage, wanted};
