//! Views that both halves know. They get what they show as properties.
//!
//! A new one goes into the file of its kind; the class names are documented in `style/`.

pub mod labels;
