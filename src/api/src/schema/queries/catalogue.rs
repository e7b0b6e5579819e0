//! Reading the catalogue.

use crate::schema::{
    answer, caller,
    inputs::{AccountCriteria, Given, Id, PageInput, RequiredId},
    objects::{Account, Attachment, Environment, Instance, Process, Space},
};
use async_graphql::{Context, Error, Object};

#[derive(Default)]
pub struct CatalogueQuery;

#[Object]
impl CatalogueQuery {
    /// The account's Spaces, by id. Needs no `SPACE_GUID`.
    async fn spaces(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many at most: 1 to 1000, by default 1000.")] first: Given<i32>,
        #[graphql(desc = "Only those whose ids come after this one: the last id of the page before.")] after: Given<Id>,
    ) -> Option<Result<Vec<Space>, Error>> {
        let listed = async {
            let (services, caller) = caller(context);
            let page = PageInput::checked(first, after)?;
            let rows = services.spaces(&caller.client, page.page(), asks_for_packs(context)).await?;
            ipack_core::Result::Ok(rows.into_iter().map(Space::from).collect())
        };
        answer(context, listed.await)
    }

    /// One of the account's Spaces. Needs no `SPACE_GUID`.
    #[graphql(name = "Space")]
    async fn space(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its guid.")] id: Given<RequiredId>,
    ) -> Option<Result<Space, Error>> {
        let found = async {
            let (services, caller) = caller(context);
            let id = id.required("id")?.0;
            ipack_core::Result::Ok(services.space(&caller.client, &id, asks_for_packs(context)).await?.into())
        };
        answer(context, found.await)
    }

    /// The accounts that the caller may see: its own.
    async fn space_accounts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which of them are meant; without it, all.")] criteria: Given<AccountCriteria>,
    ) -> Option<Result<Vec<Account>, Error>> {
        let listed = async {
            let (services, caller) = caller(context);
            let criteria = criteria.optional("criteria")?.map(AccountCriteria::checked).transpose()?;
            let space = caller.space.as_deref();
            let accounts = services.space_accounts(&caller.client, space, criteria.flatten()).await?;
            ipack_core::Result::Ok(accounts.into_iter().map(Account::from).collect())
        };
        answer(context, listed.await)
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

    /// The processes of an instance, by name.
    async fn integration_pack_instance_processes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which instance.")] integration_pack_instance_id: Given<Id>,
    ) -> Option<Result<Vec<Process>, Error>> {
        let listed = async {
            let (services, caller) = caller(context);
            let id = integration_pack_instance_id.required("integrationPackInstanceId")?.0;
            let (instance, processes) =
                services.processes(&caller.client, caller.space.as_deref(), &id).await?;
            let with_instance = |process| Process::new(&instance, process);
            ipack_core::Result::Ok(processes.into_iter().map(with_instance).collect())
        };
        answer(context, listed.await)
    }

    /// Where an instance runs, by environment.
    async fn integration_pack_environment_attachments(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which instance.")] ipack_instance_id: Given<String>,
        #[graphql(desc = "Only its attachments to these environments; without it, all.")]
        environment_ids: Given<Vec<String>>,
    ) -> Option<Result<Vec<Attachment>, Error>> {
        let listed = async {
            let (services, caller) = caller(context);
            let instance = ipack_instance_id.required("ipackInstanceId")?;
            let environments = environment_ids.optional("environmentIds")?;
            let space = caller.space.as_deref();
            let rows =
                services.attachments(&caller.client, space, &instance, environments.as_deref()).await?;
            ipack_core::Result::Ok(rows.into_iter().map(Attachment::from).collect())
        };
        answer(context, listed.await)
    }
}

/// Packs are read only where the answer has them.
fn asks_for_packs(context: &Context<'_>) -> bool {
    context.look_ahead().field("sharedIpacks").exists()
}
