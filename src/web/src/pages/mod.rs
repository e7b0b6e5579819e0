//! One route, one file: a page loads what it shows through server functions and composes components.
//!
//! Pages are rendered on the server and are plain HTML. A part that wakes up in the browser is a component that both
//! halves know; its page carries the script (see `connector`). A new page goes here, and its route into `app.rs`.

pub(crate) mod address;
pub mod attempt;
pub(crate) mod connector;
pub mod frame;
pub(crate) mod instance;
pub(crate) mod not_found;
pub(crate) mod overview;
pub(crate) mod preflight;
pub mod sign_in;
pub mod unsaved;
