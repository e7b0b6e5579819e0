//! One route, one file: a page loads what it shows through server functions and composes components.
//!
//! A new page goes here, and its route into `app.rs`.

pub mod connector;
pub mod instance;
pub mod not_found;
pub mod overview;
pub mod sign_in;
