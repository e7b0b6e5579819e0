//! Accounts and what belongs to them before anybody works: Spaces, admins, API tokens, JWTs.

use crate::accounts::{api_token, passwords};
use crate::{
    access::Client,
    catalogue::{instances::check_name, page::MAX_PAGE},
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{effects::new_id, ids::check_id, rights::Rights, time::Timestamp};
use ipack_storage::{
    Connection, StorageError, Writer,
    accounts::{self, Space},
    admins,
    api_tokens::{self, ApiToken},
    audit_log::{self, AuditSubject, Kind},
    sessions,
};
use std::time::Duration;
use uuid::Uuid;

/// An API token as it is shown once.
#[derive(Clone)]
pub struct NewToken {
    /// `BOOMI_TOKEN.…`
    pub username: String,
    pub token: String,
}

/// The first admin of a database that had none.
pub struct FirstAdmin {
    pub email: String,
    /// Where the password was made here.
    pub made_password: Option<String>,
}

/// NIST SP 800-63B asks for 8 at least, and for room for passphrases.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=256;

/// A token's last use is noted once in this time, however often it is used.
const USE_LASTS: Duration = Duration::from_secs(60);

impl Services {
    /// Adds a Space and, where it is new, its account.
    ///
    /// # Errors
    /// `BadInput`; `Conflict` where the guid is taken.
    pub async fn create_space(&self, account: &str, guid: &str, name: &str) -> Result<()> {
        check_id(account).map_err(|message| ServiceError::bad_input("account", message))?;
        check_id(guid).map_err(|message| ServiceError::bad_input("guid", message))?;
        check_name("name", name)?;
        let now = self.clock.now();
        let space =
            Space { guid: guid.into(), account_id: account.into(), name: name.into(), created_at: now };
        let add = async |mut db: Writer| {
            accounts::ensure(db.lend(), account, now).await?;
            accounts::add_space(db.lend(), &space).await?;
            self.note_operation(db.lend(), Kind::SpaceCreated, Some(account), &format!("{guid}, {name}"))
                .await
        };
        self.database.write(add).await.map_err(|error| match error {
            StorageError::Exists => ServiceError::Conflict(format!("There is a Space {guid} already.")),
            other => other.into(),
        })
    }

    /// Adds an API token to an account, in force until `expires_at`, or with `None` until it is revoked.
    ///
    /// # Errors
    /// `BadInput` where the account is unknown, or the end is over.
    pub async fn create_token(
        &self,
        account: &str,
        name: &str,
        rights: Rights,
        expires_at: Option<Timestamp>,
    ) -> Result<NewToken> {
        check_name("name", name)?;
        let now = self.clock.now();
        if expires_at.is_some_and(|at| at <= now) {
            return Err(ServiceError::bad_input("the end date", "must not be over"));
        }
        let new = NewToken { username: api_token::username(name), token: api_token::random_token() };
        let row = ApiToken {
            id: new_id(now),
            account_id: account.into(),
            name: name.into(),
            username: new.username.clone(),
            digest: api_token::digest(&new.token).into(),
            rights,
            created_at: now,
            revoked_at: None,
            expires_at,
            used_at: None,
        };
        let detail = format!("{}, which may {}", new.username, row.rights);
        let add = async |mut db: Writer| {
            api_tokens::add(db.lend(), &row).await?;
            self.note_operation(db.lend(), Kind::ApiTokenCreated, Some(account), &detail).await
        };
        self.database.write(add).await.map_err(unknown_account(account))?;
        Ok(new)
    }

    /// A page of an account's API tokens, by username, those that are over among them.
    pub async fn tokens(&self, account: &str, after: &str) -> Result<Vec<ApiToken>> {
        let mut reader = self.database.reader().await?;
        Ok(api_tokens::list(reader.connection(), account, after, MAX_PAGE).await?)
    }

    /// Gives an API token other rights, which the JWTs have that it makes from now on. `false` where there is no such
    /// token.
    pub async fn set_token_rights(&self, account: &str, username: &str, rights: &Rights) -> Result<bool> {
        let detail = format!("{username}, which may {rights} from now on");
        let set = async |mut db: Writer| {
            let is_set = api_tokens::set_rights(db.lend(), account, username, rights).await?;
            if is_set {
                self.note_operation(db.lend(), Kind::ApiTokenChanged, Some(account), &detail).await?;
            }
            Ok::<_, StorageError>(is_set)
        };
        Ok(self.database.write(set).await?)
    }

    /// From now on the token makes no JWT. `false` where there is no such token in force.
    pub async fn revoke_token(&self, account: &str, username: &str) -> Result<bool> {
        let now = self.clock.now();
        let revoke = async |mut db: Writer| {
            let is_revoked = api_tokens::revoke(db.lend(), account, username, now).await?;
            if is_revoked {
                self.note_operation(db.lend(), Kind::ApiTokenRevoked, Some(account), username).await?;
            }
            Ok::<_, StorageError>(is_revoked)
        };
        Ok(self.database.write(revoke).await?)
    }

    /// Adds an admin of one account, or with `None` of all.
    ///
    /// # Errors
    /// `BadInput` for an email, password or account that will not do; `Conflict` where the email is taken.
    pub async fn create_admin(&self, email: &str, password: String, account: Option<&str>) -> Result<()> {
        let email = checked_email(email)?;
        check_password(&password)?;
        let now = self.clock.now();
        let admin = admins::Admin {
            id: new_id(now),
            email: email.clone(),
            account_id: account.map(Into::into),
            password_hash: self.passwords.hash(password).await,
            password_changed_at: now,
        };
        let add = async |mut db: Writer| {
            admins::add(db.lend(), &admin, now).await?;
            self.note_operation(db.lend(), Kind::AdminCreated, account, &email).await
        };
        self.database.write(add).await.map_err(|error| match error {
            StorageError::Exists => ServiceError::Conflict(format!("There is an admin {email} already.")),
            other => unknown_account(account.unwrap_or_default())(other),
        })
    }

    /// Gives an admin another password and ends every session of theirs.
    ///
    /// # Errors
    /// `BadInput` for an unknown email or a password that will not do.
    pub async fn change_password(&self, email: &str, password: String) -> Result<()> {
        let email = checked_email(email)?;
        check_password(&password)?;
        let hash = self.passwords.hash(password).await;
        let change = async |mut db: Writer| {
            let admin = admins::find_by_email(db.lend(), &email).await?;
            let admin = admin.ok_or_else(|| ServiceError::bad_input("email", "belongs to nobody"))?;
            admins::change_password(db.lend(), admin.id, &hash, self.clock.now()).await?;
            sessions::remove_of_admin(db.lend(), admin.id).await?;
            let account = admin.account_id.as_deref();
            Ok(self.note_operation(db.lend(), Kind::PasswordChanged, account, &email).await?)
        };
        self.database.write(change).await
    }

    /// Makes the first admin on a database that has none; of two replicas that start together, one does.
    pub async fn ensure_first_admin(
        &self,
        email: &str,
        password: Option<String>,
    ) -> Result<Option<FirstAdmin>> {
        let mut reader = self.database.reader().await?;
        let there = admins::any(reader.connection()).await?;
        drop(reader);
        if there {
            return Ok(None);
        }
        let made_password = password.is_none().then(passwords::random_password);
        let password = password.or_else(|| made_password.clone()).unwrap_or_default();
        match self.create_admin(email, password, None).await {
            Ok(()) => Ok(Some(FirstAdmin { email: email.to_owned(), made_password })),
            Err(ServiceError::Conflict(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Writes down what somebody did who runs the program.
    pub(crate) async fn note_operation(
        &self,
        db: Connection<'_>,
        kind: Kind,
        account: Option<&str>,
        detail: &str,
    ) -> ipack_storage::Result<()> {
        let now = self.clock.now();
        let subject = AuditSubject { account, ..AuditSubject::default() };
        audit_log::add_told(db, new_id(now), subject, kind, self.operator, Some(detail), now).await
    }

    /// Writes down that a master key was added to the keyring.
    pub async fn note_key_added(&self, version: u32) -> Result<()> {
        let detail = format!("v{version}");
        let note = async |mut db: Writer| self.note_operation(db.lend(), Kind::KeyAdded, None, &detail).await;
        Ok(self.database.write(note).await?)
    }

    /// Writes down that a command ran migrations, where there were any.
    pub async fn note_migrations(&self, count: usize) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let detail = format!("{count} migrations");
        let note = async |mut db: Writer| {
            self.note_operation(db.lend(), Kind::DatabaseMigrated, None, &detail).await
        };
        Ok(self.database.write(note).await?)
    }

    /// A JWT for a program that proves itself with an API token of the account. A wrong username, token or account
    /// fails alike, and takes as long.
    ///
    /// # Errors
    /// `Unauthorized`.
    pub async fn generate_jwt(&self, account: &str, username: &str, token: &str) -> Result<String> {
        // PostgreSQL's text cannot hold one, so nobody has it in their name.
        let username = if username.contains('\0') { "" } else { username };
        let mut reader = self.database.reader().await?;
        let row = api_tokens::find(reader.connection(), username).await?;
        drop(reader);
        let right = api_token::matches(token, row.as_ref().map(|row| row.digest.as_slice()));
        let now = self.clock.now();
        let is_valid =
            right && row.as_ref().is_some_and(|row| row.account_id == account && row.is_in_force(now));
        let Some(row) = row.as_ref().filter(|_| is_valid) else {
            self.count_client_refusal(Kind::ApiTokenRefused, row.as_ref().map(client_of).as_ref());
            return Err(ServiceError::Unauthorized);
        };
        if row.used_at.is_none_or(|at| at <= now.minus(USE_LASTS)) {
            self.note_use(row.id, now);
        }
        self.signing_key
            .sign(&client_of(row), row.expires_at, now)
            .map_err(|_| ServiceError::Internal("a JWT could not be signed"))
    }

    /// In the background, because who signs in with a token needs nothing to be written.
    fn note_use(&self, token: Uuid, now: Timestamp) {
        let database = self.database.clone();
        self.background.spawn(async move {
            let noted = database.write(async |mut db| api_tokens::used(db.lend(), token, now).await).await;
            if let Err(error) = noted {
                tracing::warn!(error = %error, "the use of an API token was not noted");
            }
        });
    }

    /// The client that a JWT stands for.
    ///
    /// # Errors
    /// `Unauthorized`.
    pub fn check_jwt(&self, jwt: &str) -> Result<Client> {
        match self.signing_key.read(jwt, self.clock.now()) {
            Some((client, true)) => Ok(client),
            known => {
                self.count_client_refusal(Kind::JwtRefused, known.as_ref().map(|(client, _)| client));
                Err(ServiceError::Unauthorized)
            }
        }
    }
}

fn unknown_account(account: &str) -> impl FnOnce(StorageError) -> ServiceError {
    move |error| match error {
        StorageError::Reference => {
            ServiceError::bad_input("account", format!("{account} is unknown; `space create` makes one"))
        }
        other => other.into(),
    }
}

fn check_password(password: &str) -> Result<()> {
    if PASSWORD_CHARS.contains(&password.chars().count()) {
        return Ok(());
    }
    let (least, most) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
    Err(ServiceError::bad_input("password", format!("must have {least} to {most} characters")))
}

/// In lower case, as it is stored. Whether mail arrives there is not this program's business.
fn checked_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let fine = email.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
        && email.len() <= 254
        && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if fine { Ok(email) } else { Err(ServiceError::bad_input("email", "must look like name@host")) }
}

/// The client that an API token stands for.
fn client_of(row: &ApiToken) -> Client {
    Client {
        account: row.account_id.clone(),
        name: row.name.clone(),
        username: row.username.clone(),
        rights: row.rights.clone(),
    }
}
