//! The audit log: who did what, when. Never a secret's value. Its table is called `timeline`.
//!
//! Something new that happens is a [`Kind`] with a name that no other had.

use crate::{
    BATCH, Connection, Result,
    columns::{Column, FromColumn, as_fields, bind_key, key_columns, of_key, stored_by_name, to_json},
    execute, on_connection,
};
use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

/// What happened. Stored by name: a new kind gets a name of its own, and old names stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    DetailsSaved,
    InstanceInstalled,
    InstanceUninstalled,
    EnvironmentAttached,
    EnvironmentUnattached,
    SignedIn,
    SignInRefused,
    SignedOut,
    PkceSwitched,
    SecretEncrypted,
    SecretReplaced,
    SecretReset,
    AuthorizationStarted,
    AuthorizationReturned,
    TokenExchanged,
    TokenRefreshed,
    TokenFailed,
    TokenRevoked,
    TokenRead,
    SpaceCreated,
    ApiTokenCreated,
    ApiTokenChanged,
    ApiTokenRevoked,
    AdminCreated,
    PasswordChanged,
    CatalogueImported,
    KeyAdded,
    KeysRotated,
    KeyRetired,
    DatabaseMigrated,
    ApiTokenRefused,
    JwtRefused,
    ApiDenied,
}

impl Kind {
    /// What happened, in a sentence without its subject.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::DetailsSaved => "saved",
            Self::InstanceInstalled => "installed the instance",
            Self::InstanceUninstalled => "uninstalled the instance",
            Self::EnvironmentAttached => "attached the environment",
            Self::EnvironmentUnattached => "unattached the environment",
            Self::SignedIn => "signed in",
            Self::SignInRefused => "was refused",
            Self::SignedOut => "signed out",
            Self::PkceSwitched => "switched PKCE",
            Self::SecretEncrypted => "encrypted a secret",
            Self::SecretReplaced => "replaced the client secret",
            Self::SecretReset => "reset the client secret",
            Self::AuthorizationStarted => "started to get a token",
            Self::AuthorizationReturned => "came back from the identity provider",
            Self::TokenExchanged => "got a token",
            Self::TokenRefreshed => "refreshed the token",
            Self::TokenFailed => "got no token",
            Self::TokenRevoked => "revoked the token",
            Self::TokenRead => "read the access token",
            Self::SpaceCreated => "made a Space",
            Self::ApiTokenCreated => "made an API token",
            Self::ApiTokenChanged => "gave an API token other rights",
            Self::ApiTokenRevoked => "revoked an API token",
            Self::AdminCreated => "made an admin",
            Self::PasswordChanged => "changed a password",
            Self::CatalogueImported => "imported a catalogue",
            Self::KeyAdded => "added a master key",
            Self::KeysRotated => "sealed everything anew",
            Self::KeyRetired => "retired a master key",
            Self::DatabaseMigrated => "brought the database up to date",
            Self::ApiTokenRefused => "was refused a JWT",
            Self::JwtRefused => "sent a JWT that is not valid",
            Self::ApiDenied => "asked the API for what is not theirs",
        }
    }
}

stored_by_name!(Kind {
    DetailsSaved = "details_saved",
    InstanceInstalled = "instance_installed",
    InstanceUninstalled = "instance_uninstalled",
    EnvironmentAttached = "environment_attached",
    EnvironmentUnattached = "environment_unattached",
    SignedIn = "signed_in",
    SignInRefused = "sign_in_refused",
    SignedOut = "signed_out",
    PkceSwitched = "pkce_switched",
    SecretEncrypted = "secret_encrypted",
    SecretReplaced = "secret_replaced",
    SecretReset = "secret_reset",
    AuthorizationStarted = "authorization_started",
    AuthorizationReturned = "authorization_returned",
    TokenExchanged = "token_exchanged",
    TokenRefreshed = "token_refreshed",
    TokenFailed = "token_failed",
    TokenRevoked = "token_revoked",
    TokenRead = "token_read",
    SpaceCreated = "space_created",
    ApiTokenCreated = "api_token_created",
    ApiTokenChanged = "api_token_changed",
    ApiTokenRevoked = "api_token_revoked",
    AdminCreated = "admin_created",
    PasswordChanged = "password_changed",
    CatalogueImported = "catalogue_imported",
    KeyAdded = "key_added",
    KeysRotated = "keys_rotated",
    KeyRetired = "key_retired",
    DatabaseMigrated = "database_migrated",
    ApiTokenRefused = "api_token_refused",
    JwtRefused = "jwt_refused",
    ApiDenied = "api_denied",
});

/// One that a later version of the program wrote is none that this one knows.
impl FromColumn for Option<Kind> {
    type Stored = String;

    fn from_column(name: String) -> std::result::Result<Self, sqlx::error::BoxDynError> {
        Ok(Kind::named(&name))
    }
}
as_fields!(Option<Kind>);

/// Something that happened to one connection.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    pub account: &'a str,
    pub key: &'a ConnectionKey,
    pub kind: Kind,
    pub actor: &'a str,
    /// Labels of the parts that changed.
    pub changed: &'a [&'a str],
    /// What happened, in a sentence without any secret.
    pub detail: Option<&'a str>,
}

macro_rules! columns {
    () => {
        concat!(key_columns!(), ", id, account_id, at, actor, kind, changed, detail")
    };
}
/// What an entry about one connection is made of.
pub(crate) const COLUMNS: &str = columns!();

pub async fn add(db: Connection<'_>, id: Uuid, event: Event<'_>, now: Timestamp) -> Result<()> {
    let sql = concat!(
        "INSERT INTO timeline (",
        columns!(),
        ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    );
    let changed = to_json(event.changed);
    execute!(db, sql, event.key; id, event.account, now.0, event.actor, event.kind.name(), &changed, event.detail)?;
    Ok(())
}

/// Something that happens often.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    pub subject: AuditSubject<'a>,
    pub kind: Kind,
    pub actor: &'a str,
    /// As in [`Event`].
    pub detail: Option<&'a str>,
    pub times: u32,
}

/// Counts: one entry for what is the same within a span of time, named by `id`.
pub async fn count(db: Connection<'_>, id: Uuid, event: Counted<'_>, now: Timestamp) -> Result<()> {
    let Counted { subject, kind, actor, detail, times } = event;
    let sql = concat!(
        "INSERT INTO timeline (",
        columns!(),
        ", times)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '[]', $11, $12)
         ON CONFLICT (id) DO UPDATE SET times = timeline.times + excluded.times, at = excluded.at"
    );
    execute!(
        db,
        sql,
        subject.space,
        subject.instance,
        subject.environment,
        subject.process,
        subject.connection,
        id,
        subject.account,
        now.0,
        actor,
        kind.name(),
        detail,
        i64::from(times)
    )?;
    Ok(())
}

/// What something happened to: as much of it as there is.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditSubject<'a> {
    pub account: Option<&'a str>,
    pub space: Option<&'a str>,
    pub instance: Option<&'a str>,
    pub environment: Option<&'a str>,
    pub process: Option<&'a str>,
    pub connection: Option<&'a str>,
}

impl<'a> AuditSubject<'a> {
    pub fn of_connection(key: &'a ConnectionKey) -> Self {
        Self {
            account: None,
            space: Some(&key.space),
            instance: Some(&key.instance),
            environment: Some(&key.environment),
            process: Some(&key.process),
            connection: Some(&key.connection),
        }
    }
}

pub async fn add_at(
    db: Connection<'_>,
    id: Uuid,
    place: AuditSubject<'_>,
    kind: Kind,
    actor: &str,
    now: Timestamp,
) -> Result<()> {
    add_told(db, id, place, kind, actor, None, now).await
}

/// As [`add_at`], with a sentence about what happened.
pub async fn add_told(
    db: Connection<'_>,
    id: Uuid,
    place: AuditSubject<'_>,
    kind: Kind,
    actor: &str,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let sql = concat!(
        "INSERT INTO timeline (",
        key_columns!(),
        ", id, account_id, at, actor, kind, changed, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '[]', $11)"
    );
    execute!(
        db,
        sql,
        place.space,
        place.instance,
        place.environment,
        place.process,
        place.connection,
        id,
        place.account,
        now.0,
        actor,
        kind.name(),
        detail
    )?;
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Entry {
    #[sqlx(try_from = "Column<Timestamp>")]
    pub at: Timestamp,
    pub actor: String,
    #[sqlx(try_from = "Column<Option<Kind>>")]
    pub kind: Option<Kind>,
    /// Labels of the parts that changed.
    #[sqlx(try_from = "Column<Vec<String>>")]
    pub changed: Vec<String>,
    pub detail: Option<String>,
    /// How often, where an entry stands for several times.
    #[sqlx(try_from = "Column<Option<u32>>")]
    pub times: Option<u32>,
}

/// The latest entries of one connection, latest first.
pub async fn latest(db: Connection<'_>, key: &ConnectionKey, limit: i64) -> Result<Vec<Entry>> {
    // SQLite plans a statement anew each time where its limit is a parameter and nothing else.
    let sql = of_key!(
        "SELECT at, actor, kind, changed, detail, times FROM timeline",
        "ORDER BY at DESC, id DESC LIMIT $6 + 0"
    );
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, Entry>(sql), key).bind(limit).fetch_all(executor))
}

/// Forgets what happened to an instance that is no longer.
pub async fn remove_of_instance(db: Connection<'_>, space: &str, instance: &str) -> Result<u64> {
    execute!(db, "DELETE FROM timeline WHERE space_guid = $1 AND instance_id = $2", space, instance)
}

/// Forgets what is older, up to a batch; answers how much.
pub async fn remove_before(db: Connection<'_>, moment: Timestamp) -> Result<u64> {
    let sql = "DELETE FROM timeline WHERE id IN (SELECT id FROM timeline WHERE at < $1 LIMIT $2)";
    execute!(db, sql, moment.0, BATCH)
}
