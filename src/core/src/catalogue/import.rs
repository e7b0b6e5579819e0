//! Filling a Space from a file: its environments, and its packs with their processes and connections.
//!
//! The file is JSON, shaped like [`Catalogue`]. Importing it again brings names and defaults up to date, also in
//! instances that are installed; nothing is ever removed by it.

use crate::{
    catalogue::instances::check_name,
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{
    catalogue::{Classification, Environment},
    details::Details,
    form::FormContent,
    ids::check_id,
    provider::ProviderChoice,
    validation::validate,
};
use ipack_oauth::presets;
use ipack_storage::{Writer, accounts, environments, instances, packs};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catalogue {
    #[serde(default)]
    pub environments: Vec<CatalogueEnvironment>,
    #[serde(default)]
    pub packs: Vec<CataloguePack>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogueEnvironment {
    pub id: String,
    pub name: String,
    pub classification: CatalogueClassification,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CatalogueClassification {
    Prod,
    Test,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CataloguePack {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub installation_type: InstallationType,
    #[serde(default)]
    pub processes: Vec<CatalogueProcess>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum InstallationType {
    Single,
    Multi,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogueProcess {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub connections: Vec<CatalogueConnection>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogueConnection {
    pub id: String,
    pub name: String,
    #[serde(default = "yes")]
    pub oauth: bool,
    /// What the form starts with: an object like `oauthConnectorDetails`.
    #[serde(default)]
    pub defaults: Option<Box<RawValue>>,
    /// Where its tokens come from; without it, that is discovered from the Base URL.
    #[serde(default)]
    pub authorization: Option<ProviderChoice>,
}

fn yes() -> bool {
    true
}

impl Services {
    /// # Errors
    /// `BadInput` with the place in the file; `SpaceNotFound`.
    pub async fn import_catalogue(&self, space: &str, json: &str) -> Result<()> {
        let wrong = |why: &dyn std::fmt::Display| {
            ServiceError::bad_input("the file", format!("is not a catalogue: {why}"))
        };
        let catalogue: Catalogue = serde_json::from_str(json).map_err(|error| wrong(&error))?;
        // To serde a list of lists is one as well, and an empty list an empty one.
        if !json.trim_start().starts_with('{') {
            return Err(wrong(&"expected an object"));
        }
        self.database.write(|db| self.import_once(db, space, &catalogue)).await
    }

    async fn import_once(&self, mut db: Writer, space: &str, catalogue: &Catalogue) -> Result<()> {
        let now = self.clock.now();
        accounts::find_space(db.lend(), space).await?.ok_or(ServiceError::SpaceNotFound)?;
        for environment in &catalogue.environments {
            check_named(&environment.id, &environment.name, "environment")?;
            let environment = Environment {
                id: environment.id.clone(),
                name: environment.name.clone(),
                classification: match environment.classification {
                    CatalogueClassification::Prod => Classification::Prod,
                    CatalogueClassification::Test => Classification::Test,
                },
            };
            environments::put(db.lend(), space, &environment, now).await?;
        }
        for pack in &catalogue.packs {
            check_named(&pack.id, &pack.name, "pack")?;
            if pack.description.contains('\0') {
                let field = format!("the description of pack {:?}", pack.id);
                return Err(ServiceError::bad_input(field, "must not contain a NUL character"));
            }
            let row = packs::Pack {
                id: pack.id.clone(),
                name: pack.name.clone(),
                description: pack.description.clone(),
                installation_type: match pack.installation_type {
                    InstallationType::Single => packs::InstallationType::Single,
                    InstallationType::Multi => packs::InstallationType::Multi,
                },
            };
            packs::put(db.lend(), space, &row, now).await?;
            for process in &pack.processes {
                check_named(&process.id, &process.name, "process")?;
                packs::put_process(db.lend(), space, &pack.id, &process.id, &process.name).await?;
                for connection in &process.connections {
                    check_named(&connection.id, &connection.name, "connection")?;
                    let defaults = connection.defaults.as_ref().map(|raw| raw.get());
                    if let Some(defaults) = defaults {
                        Details::parse(defaults).map_err(|error| {
                            ServiceError::bad_input(
                                format!("the defaults of connection {}", connection.id),
                                error.to_string(),
                            )
                        })?;
                    }
                    let provider =
                        connection.authorization.as_ref().map(|choice| checked(choice, connection));
                    let provider = provider.transpose()?;
                    let row = packs::PackConnection {
                        process: &process.id,
                        id: &connection.id,
                        name: &connection.name,
                        uses_oauth: connection.oauth,
                        defaults,
                        provider: provider.as_ref(),
                    };
                    packs::put_connection(db.lend(), space, &pack.id, row).await?;
                }
            }
            for instance in instances::of_pack(db.lend(), space, &pack.id).await? {
                instances::adopt_pack(db.lend(), space, &instance, &pack.id).await?;
            }
        }
        Ok(())
    }
}

/// A choice of a provider as it is stored.
fn checked(choice: &ProviderChoice, connection: &CatalogueConnection) -> Result<ProviderChoice> {
    let wrong = |message: String| {
        ServiceError::bad_input(format!("the authorization of connection {}", connection.id), message)
    };
    let content = FormContent { provider: choice.clone(), ..FormContent::default() }.tidied();
    if let Some(id) = content.provider.preset()
        && presets::find(id).is_none()
    {
        return Err(wrong(format!("names the provider {id:?}, which is not known")));
    }
    if let Some(problem) = validate(&content).first() {
        return Err(wrong(format!("cannot be used: {}: {}", problem.place.label(), problem.message)));
    }
    Ok(content.provider)
}

fn check_named(id: &str, name: &str, what: &str) -> Result<()> {
    check_id(id).map_err(|message| ServiceError::bad_input(format!("the id of {what} {id:?}"), message))?;
    check_name(&format!("the name of {what} {id:?}"), name)
}
