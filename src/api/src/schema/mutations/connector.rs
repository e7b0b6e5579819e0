//! Writing what belongs to one connection.

use crate::schema::{
    answer, caller,
    inputs::{EncryptInput, FindInput, Given, SaveInput},
    objects::{ClientSecret, Details, Status},
    provider::SetProviderInput,
};
use async_graphql::{Context, Error, Object};

#[derive(Default)]
pub struct ConnectorMutation;

#[Object]
impl ConnectorMutation {
    /// Persists the connector details of one connection: writes over those that are there, and keeps their id.
    #[graphql(name = "saveIPackInstanceOauthConnectorDetails")]
    async fn save_details(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to persist, and for which connection.")] input: Given<SaveInput>,
    ) -> Option<Result<Details, Error>> {
        let saved = async {
            let (services, caller) = caller(context);
            let save = input.required("input")?.checked()?;
            let key = save.key.clone();
            let stored = services.save_details(&caller.client, caller.space.as_deref(), save).await?;
            ipack_core::Result::Ok(Details::new(key, stored))
        };
        answer(context, saved.await)
    }

    /// Seals the client secret of a connection whose details are saved. Where one is sealed already, the new one takes
    /// its place with the next token that is generated.
    #[graphql(name = "encryptIPackInstanceOauthClientSecret")]
    async fn encrypt_client_secret(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which secret, for which connection.")] input: Given<EncryptInput>,
    ) -> Option<Result<ClientSecret, Error>> {
        let encrypted = async {
            let (services, caller) = caller(context);
            let (key, secret) = input.required("input")?.checked()?;
            let space = caller.space.as_deref();
            let status = services.encrypt_for_client(&caller.client, space, &key, &secret).await?;
            ipack_core::Result::Ok(ClientSecret::new(key, status))
        };
        answer(context, encrypted.await)
    }

    /// Forgets the client secret of a connection, and revokes and forgets its token.
    #[graphql(name = "resetIPackInstanceOauthClientSecret")]
    async fn reset_client_secret(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "For which connection.")] input: Given<FindInput>,
    ) -> Option<Result<ClientSecret, Error>> {
        let reset = async {
            let (services, caller) = caller(context);
            let key = input.required("input")?.checked()?;
            let status = services.reset_for_client(&caller.client, caller.space.as_deref(), &key).await?;
            ipack_core::Result::Ok(ClientSecret::new(key, status))
        };
        answer(context, reset.await)
    }

    /// Changes the provider section of a connection's form, as a save there does. Needs the right `details:write`.
    #[graphql(name = "setIPackInstanceOauthProvider")]
    async fn set_provider(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to change, for which connection.")] input: Given<SetProviderInput>,
    ) -> Option<Result<Status, Error>> {
        let set = async {
            let (services, caller) = caller(context);
            let (key, change) = input.required("input")?.checked()?;
            let space = caller.space.as_deref();
            let status = services.set_provider(&caller.client, space, &key, &change).await?;
            ipack_core::Result::Ok(Status::from(status))
        };
        answer(context, set.await)
    }

    /// Refreshes a connection's token at once. Needs the right `tokens:manage`.
    #[graphql(name = "refreshIPackInstanceOauthToken")]
    async fn refresh_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "For which connection.")] input: Given<FindInput>,
    ) -> Option<Result<Status, Error>> {
        let refreshed = async {
            let (services, caller) = caller(context);
            let key = input.required("input")?.checked()?;
            let space = caller.space.as_deref();
            ipack_core::Result::Ok(services.refresh_for_client(&caller.client, space, &key).await?.into())
        };
        answer(context, refreshed.await)
    }

    /// Revokes and forgets a connection's token; the client secret stays. Needs the right `tokens:manage`.
    #[graphql(name = "revokeIPackInstanceOauthToken")]
    async fn revoke_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "For which connection.")] input: Given<FindInput>,
    ) -> Option<Result<Status, Error>> {
        let revoked = async {
            let (services, caller) = caller(context);
            let key = input.required("input")?.checked()?;
            let space = caller.space.as_deref();
            ipack_core::Result::Ok(services.revoke_for_client(&caller.client, space, &key).await?.into())
        };
        answer(context, revoked.await)
    }
}
