//! Reading what belongs to one connection.

use crate::schema::{
    answer, caller,
    inputs::{FindInput, Given},
    objects::{AccessToken, Details},
};
use async_graphql::{Context, Error, Object};

#[derive(Default)]
pub struct ConnectorQuery;

#[Object]
impl ConnectorQuery {
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
}
