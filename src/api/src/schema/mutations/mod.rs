//! Writing, by subject.

mod catalogue;
mod connector;

use async_graphql::MergedObject;

/// What can be written. Fields are about the Space that the header `SPACE_GUID` names, where they do not say otherwise.
#[derive(Default, MergedObject)]
pub struct Mutation(catalogue::CatalogueMutation, connector::ConnectorMutation);
