//! Reading what belongs to one connection.

use crate::schema::{
    answer, caller,
    enums::ConnectionState,
    inputs::{FindInput, Given, Id, StatusPage, wanted},
    objects::{AccessToken, Details, Status},
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

    /// The access token of a connection, refreshed where it was about to run out. Needs the right `tokens:read`.
    #[graphql(name = "iPackInstanceOauthAccessToken")]
    async fn access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which connection.")] input: Given<FindInput>,
        #[graphql(
            desc = "It is refreshed where it lives for less than this, if a new one would live longer; 0 to 86400."
        )]
        minimum_seconds: Given<i32>,
        #[graphql(
            desc = "The SHA-256, in hexadecimal, of a token that an API refused: that one is refreshed, once, however \
                    many say so."
        )]
        rejected_token: Given<String>,
    ) -> Option<Result<AccessToken, Error>> {
        let read = async {
            let (services, caller) = caller(context);
            let key = input.required("input")?.checked()?;
            let wanted = wanted(minimum_seconds, rejected_token)?;
            let space = caller.space.as_deref();
            let token = services.access_token(&caller.client, space, &key, &wanted).await?;
            ipack_core::Result::Ok(AccessToken::new(token))
        };
        answer(context, read.await)
    }

    /// The state of a connection; null where there is no such connection.
    #[graphql(name = "iPackInstanceOauthStatus")]
    async fn status(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which connection.")] input: Given<FindInput>,
    ) -> Option<Result<Status, Error>> {
        let found = async {
            let (services, caller) = caller(context);
            let key = input.required("input")?.checked()?;
            let found = services.status(&caller.client, caller.space.as_deref(), &key).await?;
            ipack_core::Result::Ok(found.map(Status::from))
        };
        answer(context, found.await.transpose()?)
    }

    /// The states of the Space's connections, by instance, process, connection and environment.
    #[graphql(name = "iPackInstanceOauthStatuses")]
    async fn statuses(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those in one of these states.")] state: Given<Vec<ConnectionState>>,
        #[graphql(desc = "How many at most: 1 to 1000, by default 1000.")] first: Given<i32>,
        #[graphql(desc = "Only those that come after this one: the last id of the page before.")]
        after: Given<Id>,
    ) -> Option<Result<Vec<Status>, Error>> {
        let listed = async {
            let (services, caller) = caller(context);
            let StatusPage { states, first, after } = StatusPage::checked(state, first, after)?;
            let space = caller.space.as_deref();
            let listed =
                services.statuses(&caller.client, space, states.as_deref(), first, after.as_ref()).await?;
            ipack_core::Result::Ok(listed.into_iter().map(Status::from).collect())
        };
        answer(context, listed.await)
    }
}
