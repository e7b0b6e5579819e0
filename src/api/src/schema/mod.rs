//! The schema, code first: names are the contract's, descriptions are the doc comments.
//!
//! A resolver calls one use case and answers through [`answer`]. Every field of the two roots can be null, so that
//! an error in one leaves the others' data whole. A snapshot of the tests in `src/server/tests/graphql` is what comes out.

mod enums;
pub mod inputs;
mod mutations;
pub mod objects;
mod provider;
mod queries;

use crate::errors;
use async_graphql::{Context, EmptySubscription, Error, OutputType, Schema, registry::Registry};
use ipack_core::{ServiceError, Services, access::Client};
use mutations::Mutation;
use queries::Query;
use std::sync::LazyLock;

pub type Api = Schema<Query, Mutation, EmptySubscription>;

/// Who asks, for which Space; the same for every operation of a request.
#[derive(Clone)]
pub struct Caller {
    pub client: Client,
    /// The header `SPACE_GUID`, where something stands in it.
    pub space: Option<String>,
    pub request_id: String,
}

pub fn build(services: Services) -> Api {
    // Depth, complexity and the other limits are held by `scan` and `size`, before the library walks anything.
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .data(services)
        .disable_suggestions()
        .finish()
}

/// The types of the schema that are ours.
pub static TYPES: LazyLock<Registry> = LazyLock::new(|| {
    let mut types = Registry::default();
    Query::create_type_info(&mut types);
    Mutation::create_type_info(&mut types);
    types
});

fn caller<'a>(context: &Context<'a>) -> (&'a Services, &'a Caller) {
    (context.data_unchecked(), context.data_unchecked())
}

/// The answer of a use case; its error, in the words of the API, beside a null.
fn answer<T>(context: &Context<'_>, answer: ipack_core::Result<T>) -> Option<Result<T, Error>> {
    let (services, caller) = caller(context);
    Some(answer.map_err(|error| {
        if matches!(error, ServiceError::Forbidden | ServiceError::SpaceNotFound) {
            services.count_denial(&caller.client, &error.to_string());
        }
        errors::of_service(error, &caller.request_id)
    }))
}
