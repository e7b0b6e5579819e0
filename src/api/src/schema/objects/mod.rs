//! What clients get. Each object is made from the storage's or the domain's own type.

mod catalogue;
mod connector;
mod documented;
mod status;

pub use catalogue::{Account, Attachment, Environment, Instance, Process, Space};
pub use connector::{AccessToken, ClientSecret, Details};
pub use status::Status;
