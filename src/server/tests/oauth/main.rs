//! OAuth against real sockets: the guarded client, hostile providers, and whole flows through the router.
//!
//! `hostile` is a scripted server on a raw socket. `provider` makes an identity provider of it that behaves, and `flow`
//! is an admin's way through it; the files at the end walk that way on both databases, and say which step they are
//! about. A flow that is to be believed runs against a real identity provider, in `end2end`.
//!
//! To add a test of a flow: an `async fn` that takes a [`Database`](ipack_storage::Database), named in its file's
//! `on_both!`, with the number of the requirement in its name. That something was not sent is shown by the requests
//! that the provider recorded.

#[macro_use]
extern crate ipack_testing;

mod at_once;
mod outbound;
mod outbound_faults;

mod advice;
mod answers;
mod binding;
mod during_the_call;
mod examples;
mod failures;
mod faults;
mod grants;
mod pages;
mod pasted;
mod programs;
mod reading;
mod refreshing;
mod replicas;
mod requests;
mod returning;
mod secrets;
mod states;
mod typed_secrets;
mod uncertain_commits;
