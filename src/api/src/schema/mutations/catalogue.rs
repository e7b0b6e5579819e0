//! Writing the catalogue: what is installed, and where it runs.

use crate::schema::{
    answer, caller,
    inputs::{AttachInput, Given, InstallInput, RequiredId},
    objects::{Attachment, Instance},
};
use async_graphql::{Context, Error, ID, Object};

#[derive(Default)]
pub struct CatalogueMutation;

#[Object]
impl CatalogueMutation {
    /// Installs an integration pack. Without `SPACE_GUID`, from the account's only Space that has it.
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

    /// Removes an instance and all that it held, and answers its id. Without `SPACE_GUID`, from the account's only Space
    /// that has it.
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

    /// Attaches an instance to environments, and answers each attachment, also where it was there.
    #[graphql(name = "integrationPackInstanceEnvironmentAttachmentAttach")]
    async fn attach(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which instance, to which environments.")] input: Given<AttachInput>,
    ) -> Option<Result<Vec<Attachment>, Error>> {
        let attached = async {
            let (services, caller) = caller(context);
            let (instance, environments) = input.required("input")?.checked()?;
            let space = caller.space.as_deref();
            let rows = services.attach_for_client(&caller.client, space, &instance, &environments).await?;
            ipack_core::Result::Ok(rows.into_iter().map(Attachment::from).collect())
        };
        answer(context, attached.await)
    }

    /// Ends that an instance runs in an environment: what was saved there goes, and its tokens are revoked. Answers the
    /// attachment's id.
    #[graphql(name = "integrationPackInstanceEnvironmentAttachmentUnattach")]
    async fn unattach(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The attachment's id, or that of an instance with one attachment.")] id: Given<
            RequiredId,
        >,
    ) -> Option<Result<ID, Error>> {
        let unattached = async {
            let (services, caller) = caller(context);
            let id = id.required("id")?.0;
            let id = services.unattach(&caller.client, caller.space.as_deref(), &id).await?;
            ipack_core::Result::Ok(id.into())
        };
        answer(context, unattached.await)
    }
}
