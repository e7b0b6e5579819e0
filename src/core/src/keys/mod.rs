//! The master keys: whether they are the right ones at the start, their rotation, and whether they open everything.

pub mod check;
pub mod rotation;
