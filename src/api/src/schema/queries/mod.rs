//! Reading, by subject.

mod catalogue;
mod connector;

use async_graphql::MergedObject;

/// What can be read. Fields are about the Space that the header `SPACE_GUID` names, where they do not say otherwise.
#[derive(Default, MergedObject)]
pub struct Query(catalogue::CatalogueQuery, connector::ConnectorQuery);
