//! One form as the database has it: what is saved, and what this admin typed and has not saved.

use crate::{
    access::{self, Admin},
    connector::content::start,
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{fields::Field, form::FormContent, ids::ConnectionKey};
use ipack_storage::{
    Connection,
    accounts::Space,
    details::{self, StoredDetails},
    drafts::{self, Draft},
    instances::{self, ConnectionInPlace},
};

/// Everything the database knows about one form.
#[derive(Debug, Clone)]
pub struct ConnectorRecord {
    /// Whose form it is.
    pub email: String,
    pub admin: uuid::Uuid,
    pub key: ConnectionKey,
    pub space: Space,
    pub place: ConnectionInPlace,
    pub stored: Option<StoredDetails>,
    /// What a form without a draft shows.
    pub start: FormContent,
    pub draft: Option<Draft>,
}

impl ConnectorRecord {
    pub fn version(&self) -> i64 {
        self.stored.as_ref().map_or(0, |stored| stored.version)
    }

    /// The saved version that what is shown started from; 0 for none.
    pub fn base_version(&self) -> i64 {
        self.draft.as_ref().map_or_else(|| self.version(), |draft| draft.base_version)
    }

    /// What the page shows: the draft if there is one.
    pub fn shown(&self) -> &FormContent {
        self.draft.as_ref().map_or(&self.start, |draft| &draft.content)
    }

    /// Somebody saved something else since the draft was begun.
    pub fn is_conflicting(&self) -> bool {
        self.draft.as_ref().is_some_and(|draft| {
            draft.base_version != self.version()
                && !self.start.differing(&draft.base).is_empty()
                && !self.start.differing(&self.to_save(draft)).is_empty()
        })
    }

    /// What a save of the draft would write. A part that is as it was saved stays so to the last blank.
    pub fn to_save(&self, draft: &Draft) -> FormContent {
        let mut content = draft.content.tidied();
        for field in Field::all().filter(|field| draft.content.has_same(&self.start, *field)) {
            content.take(field, &self.start);
        }
        content
    }
}

impl Services {
    /// The form as it stands for this admin.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn connector(&self, admin: &Admin, key: &ConnectionKey) -> Result<ConnectorRecord> {
        let mut reader = self.database.reader().await?;
        let space = access::admin_key(reader.connection(), admin, key).await?;
        load_record(reader.connection(), admin, space, key).await
    }
}

/// The form of a key in a Space that this admin may see.
pub(crate) async fn load_record(
    mut db: Connection<'_>,
    admin: &Admin,
    space: Space,
    key: &ConnectionKey,
) -> Result<ConnectorRecord> {
    let place = instances::connection(db.lend(), key)
        .await?
        .filter(|place| place.uses_oauth)
        .ok_or(ServiceError::NotFound)?;
    let stored = details::find(db.lend(), key).await?;
    let draft = drafts::find(db.lend(), key, admin.id).await?;
    let start = start(&place, stored.as_ref())?;
    Ok(ConnectorRecord {
        email: admin.email.clone(),
        admin: admin.id,
        key: key.clone(),
        space,
        place,
        stored,
        start,
        draft,
    })
}
