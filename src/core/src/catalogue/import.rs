//! Filling a Space from a file: its environments, and its packs with their processes and connections.
//!
//! The file is JSON, shaped like [`Catalogue`]. Importing it again brings names and defaults up to date, also in
//! instances that are installed; nothing is ever removed by it. The whole file is checked first, and then written in
//! slices, between which others write. An import that broke off goes on where the file is imported again.

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
    time::Timestamp,
    validation::validate,
};
use ipack_oauth::presets;
use ipack_storage::{
    Connection, Writer, accounts,
    audit_log::Kind,
    environments, instances,
    packs::{self, PackConnection},
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Rows written in one transaction.
const SLICE: usize = 200;

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
        let rows = catalogue.rows()?;
        let mut reader = self.database.reader().await?;
        let found = accounts::find_space(reader.connection(), space).await?;
        let account = found.ok_or(ServiceError::SpaceNotFound)?.account_id;
        drop(reader);
        let now = self.clock.now();
        for rows in rows.chunks(SLICE) {
            let put = async |mut db: Writer| {
                for row in rows {
                    row.put(db.lend(), space, now).await?;
                }
                Ok::<_, ServiceError>(())
            };
            self.database.write(put).await?;
        }
        for pack in &catalogue.packs {
            let mut reader = self.database.reader().await?;
            let instances = instances::of_pack(reader.connection(), space, &pack.id).await?;
            drop(reader);
            for instance in instances {
                let adopt =
                    async |mut db: Writer| instances::adopt_pack(db.lend(), space, &instance, &pack.id).await;
                self.database.write(adopt).await?;
            }
        }
        let detail = format!(
            "into {space}: {} environments, {} packs",
            catalogue.environments.len(),
            catalogue.packs.len()
        );
        let note = async |mut db: Writer| {
            self.note_operation(db.lend(), Kind::CatalogueImported, Some(&account), &detail).await
        };
        Ok(self.database.write(note).await?)
    }
}

/// A row that a catalogue puts.
enum Row<'a> {
    Environment(Environment),
    Pack(packs::Pack),
    Process { pack: &'a str, process: &'a CatalogueProcess },
    Connection { pack: &'a str, connection: PackConnection<'a>, provider: Option<Box<ProviderChoice>> },
}

impl Row<'_> {
    async fn put(&self, db: Connection<'_>, space: &str, now: Timestamp) -> Result<()> {
        match self {
            Self::Environment(environment) => environments::put(db, space, environment, now).await?,
            Self::Pack(pack) => packs::put(db, space, pack, now).await?,
            Self::Process { pack, process } => {
                packs::put_process(db, space, pack, &process.id, &process.name).await?;
            }
            Self::Connection { pack, connection, provider } => {
                let connection = PackConnection { provider: provider.as_deref(), ..*connection };
                packs::put_connection(db, space, pack, connection).await?;
            }
        }
        Ok(())
    }
}

impl Catalogue {
    /// All that it puts, each row after those that it refers to.
    fn rows(&self) -> Result<Vec<Row<'_>>> {
        let mut rows = Vec::new();
        for environment in &self.environments {
            check_named(&environment.id, &environment.name, "environment")?;
            rows.push(Row::Environment(Environment {
                id: environment.id.clone(),
                name: environment.name.clone(),
                classification: match environment.classification {
                    CatalogueClassification::Prod => Classification::Prod,
                    CatalogueClassification::Test => Classification::Test,
                },
            }));
        }
        for pack in &self.packs {
            pack.add_rows(&mut rows)?;
        }
        Ok(rows)
    }
}

impl CataloguePack {
    fn add_rows<'a>(&'a self, rows: &mut Vec<Row<'a>>) -> Result<()> {
        check_named(&self.id, &self.name, "pack")?;
        if self.description.contains('\0') {
            let field = format!("the description of pack {:?}", self.id);
            return Err(ServiceError::bad_input(field, "must not contain a NUL character"));
        }
        rows.push(Row::Pack(packs::Pack {
            id: self.id.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            installation_type: match self.installation_type {
                InstallationType::Single => packs::InstallationType::Single,
                InstallationType::Multi => packs::InstallationType::Multi,
            },
        }));
        for process in &self.processes {
            check_named(&process.id, &process.name, "process")?;
            rows.push(Row::Process { pack: &self.id, process });
            for connection in &process.connections {
                check_named(&connection.id, &connection.name, "connection")?;
                let defaults = connection.defaults.as_ref().map(|raw| raw.get());
                if let Some(defaults) = defaults {
                    let field = || format!("the defaults of connection {}", connection.id);
                    Details::parse(defaults)
                        .map_err(|error| ServiceError::bad_input(field(), error.to_string()))?;
                }
                let provider = connection.authorization.as_ref();
                let provider =
                    provider.map(|choice| checked(choice, connection).map(Box::new)).transpose()?;
                let connection = PackConnection {
                    process: &process.id,
                    id: &connection.id,
                    name: &connection.name,
                    uses_oauth: connection.oauth,
                    defaults,
                    provider: None,
                };
                rows.push(Row::Connection { pack: &self.id, connection, provider });
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
