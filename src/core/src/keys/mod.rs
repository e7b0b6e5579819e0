//! The master keys: whether they are the right ones at the start, and their rotation.

pub mod rotation;
