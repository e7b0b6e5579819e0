//! What clients get about the catalogue: Spaces, packs, instances, environments, processes.

use crate::schema::objects::documented::{AccountGroup, Atom, ProcessSchedules, SpaceTheme};
use async_graphql::{Enum, ID, SimpleObject};
use ipack_domain::catalogue::{self, Classification, Named};
use ipack_storage::{accounts, environments, instances, packs};

/// What an account's users install from.
#[derive(SimpleObject)]
#[graphql(name = "Space")]
pub struct Space {
    /// Its guid: `catalogGuid`, and the header `SPACE_GUID`.
    id: ID,
    name: String,
    /// Always null.
    description: Option<String>,
    /// When it was made, in RFC 3339.
    created_date: Option<String>,
    /// The account that it belongs to.
    created_by_account_id: Option<String>,
    /// Always null.
    modified_date: Option<String>,
    /// Always null.
    modified_by_account_id: Option<String>,
    /// Always null.
    url: Option<String>,
    /// Always null.
    theme: Option<SpaceTheme>,
    /// Always null: a Space belongs to one account.
    account_group: Option<AccountGroup>,
    /// What can be installed from it, by id.
    shared_ipacks: Vec<Pack>,
}

impl From<(accounts::Space, Vec<packs::Pack>)> for Space {
    fn from((row, packs): (accounts::Space, Vec<packs::Pack>)) -> Self {
        Self {
            id: row.guid.into(),
            name: row.name,
            description: None,
            created_date: Some(row.created_at.iso()),
            created_by_account_id: Some(row.account_id),
            modified_date: None,
            modified_by_account_id: None,
            url: None,
            theme: None,
            account_group: None,
            shared_ipacks: packs.into_iter().map(Into::into).collect(),
        }
    }
}

/// A tenant.
#[derive(SimpleObject)]
#[graphql(name = "SpaceAccount")]
pub struct Account {
    id: ID,
    /// The same as its id.
    name: String,
}

impl From<String> for Account {
    fn from(id: String) -> Self {
        Self { name: id.clone(), id: id.into() }
    }
}

/// How often an account can install a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "IntegrationPackInstallationType")]
pub enum InstallationType {
    /// Once.
    Single,
    /// Several times, each under a name of its own.
    Multi,
}

/// A bundle of processes with their connections, which can be installed.
#[derive(SimpleObject)]
#[graphql(name = "IntegrationPack")]
pub struct Pack {
    /// What it is installed by.
    id: ID,
    name: String,
    /// What it does, in a sentence; may be empty.
    description: String,
    /// How often an account can install it.
    installation_type: InstallationType,
}

impl From<packs::Pack> for Pack {
    fn from(row: packs::Pack) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            installation_type: match row.installation_type {
                packs::InstallationType::Single => InstallationType::Single,
                packs::InstallationType::Multi => InstallationType::Multi,
            },
        }
    }
}

/// One installation of an integration pack.
#[derive(SimpleObject)]
#[graphql(name = "IntegrationPackInstance")]
pub struct Instance {
    /// What connector details name it by.
    id: ID,
    /// The id of the pack that it is an installation of; null for an instance that was first met in a save.
    integration_pack_id: Option<ID>,
    /// Its own name, where it was given one.
    integration_pack_override_name: Option<String>,
    /// The pack that it is an installation of; null for an instance that was first met in a save.
    integration_pack: Option<Pack>,
}

impl From<instances::Instance> for Instance {
    fn from(row: instances::Instance) -> Self {
        let pack = match (row.pack_id.clone(), row.pack_name, row.installation_type) {
            (Some(id), Some(name), Some(installation_type)) => {
                let description = row.pack_description.unwrap_or_default();
                Some(packs::Pack { id, name, description, installation_type }.into())
            }
            _ => None,
        };
        Self {
            id: row.id.into(),
            integration_pack_id: row.pack_id.map(Into::into),
            integration_pack_override_name: row.override_name,
            integration_pack: pack,
        }
    }
}

/// What an environment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EnvironmentClassification")]
pub enum EnvironmentClassification {
    /// Production.
    Prod,
    /// Trying things out.
    Test,
}

/// Where instances run.
#[derive(SimpleObject)]
pub struct Environment {
    /// What connector details name it by.
    id: ID,
    /// The same as its id where it was first met in a save.
    name: String,
    /// What it is for.
    classification: EnvironmentClassification,
    /// The instances that run in it.
    integration_pack_environment_attachment: Vec<Attachment>,
    /// The runtimes in it: none that this program knows.
    atoms: Vec<Atom>,
}

/// That an instance runs in an environment.
#[derive(SimpleObject)]
#[graphql(name = "IntegrationPackEnvironmentAttachment")]
pub struct Attachment {
    id: ID,
    /// Where it runs.
    environment_id: ID,
    /// What runs there.
    integration_pack_instance_id: ID,
    /// Always null: there are no extensions here.
    environment_extensions: Option<String>,
    /// Always null: there are no extensions here.
    environment_map_extension: Option<String>,
}

impl From<environments::Attachment> for Attachment {
    fn from(row: environments::Attachment) -> Self {
        Self {
            id: row.id.into(),
            environment_id: row.environment_id.into(),
            integration_pack_instance_id: row.instance_id.into(),
            environment_extensions: None,
            environment_map_extension: None,
        }
    }
}

impl From<(catalogue::Environment, Vec<environments::Attachment>)> for Environment {
    fn from((environment, attachments): (catalogue::Environment, Vec<environments::Attachment>)) -> Self {
        Self {
            id: environment.id.into(),
            name: environment.name,
            classification: match environment.classification {
                Classification::Prod => EnvironmentClassification::Prod,
                Classification::Test => EnvironmentClassification::Test,
            },
            integration_pack_environment_attachment: attachments.into_iter().map(Into::into).collect(),
            atoms: Vec::new(),
        }
    }
}

/// A process of an instance.
#[derive(SimpleObject)]
#[graphql(name = "IntegrationPackInstanceProcess")]
pub struct Process {
    /// What connector details name it by.
    id: ID,
    /// The same as its id where it was first met in a save.
    name: String,
    /// Where it comes from.
    integration_pack: PackOfProcess,
    /// Always null: there are no schedules here.
    process_schedules: Option<ProcessSchedules>,
}

/// Where a process comes from.
#[derive(SimpleObject)]
#[graphql(name = "ProcessIntegrationPack")]
pub struct PackOfProcess {
    /// Null for an instance that was first met in a save.
    integration_pack_id: Option<ID>,
    integration_pack_instance_id: ID,
}

impl Process {
    pub fn new(instance: &instances::Instance, process: Named) -> Self {
        let integration_pack = PackOfProcess {
            integration_pack_id: instance.pack_id.as_ref().map(Into::into),
            integration_pack_instance_id: (&instance.id).into(),
        };
        Self { id: process.id.into(), name: process.name, integration_pack, process_schedules: None }
    }
}
