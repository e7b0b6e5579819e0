//! Views that both halves know. They get what they show as properties.
//!
//! A new one goes into the file of its kind; the class names are documented in `style/`. What wakes up in the browser
//! is the form alone.

pub mod connector_form;
pub mod labels;
