//! Writing.

use crate::schema::{
    answer, caller,
    inputs::{EncryptInput, FindInput, Given, InstallInput, RequiredId, SaveInput},
    objects::{ClientSecret, Details, Instance},
};
use async_graphql::{Context, Error, ID, Object};

pub struct Mutation;

/// What can be written. Every field is about the Space that the header `SPACE_GUID` names.
#[Object]
impl Mutation {
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

    /// Installs an integration pack.
    #[graphql(name = "integrationPackInstanceInstall")]
    async fn install(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which pack, under which name.")] input: Given<InstallInput>,
    ) -> Option<Result<Instance, Error>> {
        let installed = async {
            let (services, caller) = caller(context);
            let (pack, name) = input.required("input")?.checked()?;
            let row =
                services.install(&caller.client, caller.space.as_deref(), &pack, name.as_deref()).await?;
            Ok(Instance::from(row))
        };
        answer(context, installed.await)
    }

    /// Removes an instance and all that it held, and answers its id.
    #[graphql(name = "integrationPackInstanceUninstall")]
    async fn uninstall(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which instance.")] id: Given<RequiredId>,
    ) -> Option<Result<ID, Error>> {
        let uninstalled = async {
            let (services, caller) = caller(context);
            let id = id.required("id")?.0;
            services.uninstall(&caller.client, caller.space.as_deref(), &id).await?;
            ipack_core::Result::Ok(ID(id))
        };
        answer(context, uninstalled.await)
    }
}
