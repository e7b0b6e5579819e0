//! Views that several pages use. They get what they show as properties and call no server function, but for the
//! frame, which asks who is signed in.
//!
//! A new one goes into the file of its kind; the class names are documented in `style/`.

pub mod frame;
pub mod labels;
