//! What clients send about the catalogue: Spaces, packs, instances, attachments, and the pages of lists.

use crate::schema::inputs::{Given, Id, RequiredId, library_kinds};
use async_graphql::{Enum, InputObject};
use ipack_core::{
    Result,
    catalogue::{
        page::{MAX_PAGE, Page},
        spaces::AccountFilter,
    },
};

library_kinds!(
    InstallInput: nullable false,
    AttachInput: nullable false,
    AccountCriteria: nullable true,
    AccountOperator: nullable true,
);

/// An integration pack to install.
#[derive(InputObject)]
#[graphql(name = "IntegrationPackInstanceInstallInput")]
pub struct InstallInput {
    /// A pack of the Space.
    integration_pack_id: Given<RequiredId>,
    /// The instance's own name; needed where the pack can be installed several times.
    integration_pack_override_name: Given<String>,
}

impl InstallInput {
    /// The pack's id and the name.
    ///
    /// # Errors
    /// `BadInput` for the first field that will not do.
    pub fn checked(self) -> Result<(String, Option<String>)> {
        let id = self.integration_pack_id.required("integrationPackId")?.0;
        Ok((id, self.integration_pack_override_name.optional("integrationPackOverrideName")?))
    }
}

/// The page of a list that `first` and `after` name.
pub struct PageInput {
    first: i64,
    after: String,
}

impl PageInput {
    /// # Errors
    /// `BadInput` where one of the two is of another type.
    pub fn checked(first: Given<i32>, after: Given<Id>) -> Result<Self> {
        let first = first.optional("first")?.map_or(MAX_PAGE, i64::from);
        Ok(Self { first, after: after.optional("after")?.map(|id| id.0).unwrap_or_default() })
    }

    pub fn page(&self) -> Page<'_> {
        Page { first: self.first, after: &self.after }
    }
}

/// An instance, and the environments to attach it to.
#[derive(InputObject)]
#[graphql(name = "IntegrationPackEnvironmentAttachmentInput")]
pub struct AttachInput {
    /// The instance.
    integration_pack_instance_id: Given<Id>,
    /// Environments of its Space, at most 100 at once.
    environment_ids: Given<Vec<Id>>,
}

impl AttachInput {
    /// The instance's id and those of the environments.
    ///
    /// # Errors
    /// `BadInput` for the first field that will not do.
    pub fn checked(self) -> Result<(String, Vec<String>)> {
        let instance = self.integration_pack_instance_id.required("integrationPackInstanceId")?.0;
        let environments = self.environment_ids.required("environmentIds")?;
        Ok((instance, environments.into_iter().map(|id| id.0).collect()))
    }
}

/// How an account's name is searched.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "SpaceAccountOperator")]
pub enum AccountOperator {
    /// The argument stands somewhere in it.
    #[graphql(name = "CONTAINS")]
    Contains,
    /// It begins with the argument.
    #[graphql(name = "STARTSWITH")]
    StartsWith,
}

/// Which accounts are meant. Case makes no difference.
#[derive(InputObject)]
#[graphql(name = "SpaceAccountCriteria")]
pub struct AccountCriteria {
    /// How the name is searched.
    operator: Given<AccountOperator>,
    /// What it is searched for; without it, every account is meant.
    argument: Given<String>,
}

impl AccountCriteria {
    /// # Errors
    /// `BadInput` for the first field that will not do.
    pub fn checked(self) -> Result<Option<AccountFilter>> {
        let Some(argument) = self.argument.optional("argument")? else { return Ok(None) };
        Ok(Some(match self.operator.required("operator")? {
            AccountOperator::Contains => AccountFilter::Contains(argument),
            AccountOperator::StartsWith => AccountFilter::StartsWith(argument),
        }))
    }
}
