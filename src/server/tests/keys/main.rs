//! The master keys and what is sealed with them, at the level of use cases and of the program: nothing secret gets out
//! (S22), what is damaged or moved does not open (S23), keys by their versions (S24), rotation (S25), the start with a
//! wrong key (S26), and `Debug` (S27). The vault's own tests are beside it, in `vault`.
//!
//! To add a test: an `async fn` named in its file's `on_both!`, with the number of the requirement in its name. What
//! several files want of keys and sealed rows is a method of `sealed::Sealed`.

#[macro_use]
extern crate ipack_testing;

mod sealed;

mod canary;
mod commands;
mod debug;
mod first_keys;
mod rotation;
mod rotation_faults;
mod sealed_values;
mod signing_keys;
mod starting;
