//! The form's provider section, as programs change it: saved at once, by the rules and with the history of the form.

use crate::{
    access::{self, Client},
    connector::{
        content::{start, versions},
        record::ConnectorRecord,
        status::ConnectionStatus,
        submit::promote,
    },
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{
    fields::{MenuField, SwitchField, TextField},
    form::FormContent,
    ids::ConnectionKey,
    parts::Part,
    post::Outcome,
    rights::Right,
    validation::{ProblemLocation, validate},
};
use ipack_oauth::presets;
use ipack_storage::{Writer, accounts::Space, details, drafts::Draft, instances};
use uuid::Uuid;

/// Fields of the section with their new values. What is not in here stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ProviderChange {
    pub texts: Vec<(TextField, String)>,
    pub menus: Vec<(MenuField, String)>,
    pub switches: Vec<(SwitchField, bool)>,
}

impl ProviderChange {
    fn apply(&self, content: &mut FormContent) {
        for (field, text) in &self.texts {
            text.clone_into(content.text_mut(*field));
        }
        for (field, name) in &self.menus {
            content.choose(*field, name);
        }
        for (field, is_on) in &self.switches {
            *content.switch_mut(*field) = *is_on;
        }
    }
}

impl Services {
    /// Saves changes of the provider section; with one configuration for every environment, in each of them.
    ///
    /// # Errors
    /// `BadInput` with the field's name; `Conflict` where there is no such connection, or the form cannot be saved for
    /// another reason.
    pub async fn set_provider(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
        change: &ProviderChange,
    ) -> Result<ConnectionStatus> {
        client.must_have(Right::DetailsWrite)?;
        let mut reader = self.database.reader().await?;
        let space = access::client_key(reader.connection(), client, header, key).await?;
        drop(reader);
        self.write_to(key, |db| self.set_provider_once(db, client, &space, key, change)).await?;
        self.status_of(key).await?.ok_or_else(no_connection)
    }

    async fn set_provider_once(
        &self,
        mut db: Writer,
        client: &Client,
        space: &Space,
        key: &ConnectionKey,
        change: &ProviderChange,
    ) -> Result<()> {
        let now = self.clock.now();
        instances::lock_connection(db.lend(), key).await?;
        let place = instances::connection(db.lend(), key).await?.filter(|place| place.uses_oauth);
        let place = place.ok_or_else(no_connection)?;
        let stored = details::find(db.lend(), key).await?;
        let start = start(&place, stored.as_ref())?;
        let mut content = start.clone();
        change.apply(&mut content);
        check(&content)?;
        let mut record = ConnectorRecord {
            email: client.label(),
            admin: Uuid::nil(),
            key: key.clone(),
            space: space.clone(),
            place,
            stored,
            start: start.clone(),
            draft: None,
        };
        record.draft = Some(Draft {
            base_version: record.version(),
            base: start,
            content,
            attempted: false,
            updated_at: now,
        });
        let others = versions(&details::other_environments(db.lend(), key).await?);
        match promote(db.lend(), &client.label(), &mut record, &others, now).await? {
            Outcome::Saved => Ok(()),
            _ => Err(ServiceError::Internal("a provider was not saved")),
        }
    }
}

/// Everything that would keep the form from being saved, or from being used afterwards.
fn check(content: &FormContent) -> Result<()> {
    let region = &content.provider.region;
    let preset = content.provider.preset().map(presets::find);
    if matches!(preset, Some(None)) {
        return Err(ServiceError::bad_input("provider", "names a provider that is not known"));
    }
    if !region.is_empty() && preset.flatten().and_then(|preset| preset.region(region)).is_none() {
        return Err(ServiceError::bad_input("region", "names no region of the provider"));
    }
    match validate(content).first() {
        None => Ok(()),
        Some(problem) => Err(match problem.place {
            ProblemLocation::Text(field) if field.about().part == Part::Provider => {
                ServiceError::bad_input(field.about().name, format!("cannot be used: {}", problem.message))
            }
            place => ServiceError::Conflict(format!(
                "The form cannot be saved: {}: {}.",
                place.label(),
                problem.message
            )),
        }),
    }
}

fn no_connection() -> ServiceError {
    ServiceError::Conflict("There is no such connection yet: save its details first.".into())
}
