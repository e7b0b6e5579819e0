//! Reading.

use crate::schema::{
    answer, caller,
    inputs::{FindInput, Given, Id, PageInput},
    objects::{AccessToken, Details, Environment, Instance},
};
use async_graphql::{Context, Error, Object};

pub struct Query;

/// What can be read. Every field is about the Space that the header `SPACE_GUID` names.
#[Object]
impl Query {
    /// The connector details of one connection; null where nothing was saved.
    #[graphql(name = "IPackInstanceOAuthConnectorDetails")]
    async fn details(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which connection.")] input: Given<FindInput>,
    ) -> Option<Result<Details, Error>> {
        let found = async {
            let (services, caller) = caller(context);
            let key = input.required("input")?.checked()?;
            let found = services.find_details(&caller.client, caller.space.as_deref(), &key).await?;
            ipack_core::Result::Ok(found.map(|stored| Details::new(key, stored)))
        };
        answer(context, found.await.transpose()?)
    }

    /// The access token of a connection, refreshed where it was about to run out. Only for API tokens that may read access
    /// tokens.
    #[graphql(name = "iPackInstanceOauthAccessToken")]
    async fn access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which connection.")] input: Given<FindInput>,
    ) -> Option<Result<AccessToken, Error>> {
        let read = async {
            let (services, caller) = caller(context);
            let key = input.required("input")?.checked()?;
            let token = services.access_token(&caller.client, caller.space.as_deref(), &key).await?;
            ipack_core::Result::Ok(AccessToken::new(token))
        };
        answer(context, read.await)
    }

    /// The installed integration packs, by id.
    async fn integration_pack_instances(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many at most: 1 to 1000, by default 1000.")] first: Given<i32>,
        #[graphql(desc = "Only those whose ids come after this one: the last id of the page before.")] after: Given<Id>,
    ) -> Option<Result<Vec<Instance>, Error>> {
        let listed = async {
            let (services, caller) = caller(context);
            let page = PageInput::checked(first, after)?;
            let rows = services.instances(&caller.client, caller.space.as_deref(), page.page()).await?;
            Ok(rows.into_iter().map(Instance::from).collect())
        };
        answer(context, listed.await)
    }

    /// The environments, by id.
    async fn environments(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many at most: 1 to 1000, by default 1000.")] first: Given<i32>,
        #[graphql(desc = "Only those whose ids come after this one: the last id of the page before.")] after: Given<Id>,
    ) -> Option<Result<Vec<Environment>, Error>> {
        let listed = async {
            let (services, caller) = caller(context);
            let page = PageInput::checked(first, after)?;
            let rows = services.environments(&caller.client, caller.space.as_deref(), page.page()).await?;
            ipack_core::Result::Ok(rows.into_iter().map(Environment::from).collect())
        };
        answer(context, listed.await)
    }
}
