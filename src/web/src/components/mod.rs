//! Views that both halves know. They get what they show as properties.

pub mod causes;
pub mod labels;
