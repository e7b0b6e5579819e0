//! Signing in with email and password, and who a session belongs to.

use crate::{
    access::Admin,
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{effects::new_id, time::Timestamp};
use ipack_storage::{
    Writer, admins,
    audit_log::{self, AuditSubject, Kind},
};
use uuid::Uuid;

impl Services {
    /// The admin with this email and password. Wrong email and wrong password fail alike, and take as long.
    ///
    /// # Errors
    /// `Unauthorized`.
    pub async fn sign_in(&self, email: &str, password: String) -> Result<Admin> {
        let email = email.trim().to_lowercase();
        let mut reader = self.database.reader().await?;
        // PostgreSQL's text cannot hold a NUL, so nobody has one in their email.
        let found = match email.contains('\0') {
            true => None,
            false => admins::find_by_email(reader.connection(), &email).await?,
        };
        drop(reader);
        let right =
            self.passwords.verify(password, found.as_ref().map(|admin| admin.password_hash.clone())).await;
        let admin = found.filter(|_| right);
        match &admin {
            Some(admin) => self.note(Kind::SignedIn, &admin.email, admin.account_id.as_deref()).await?,
            // The audit log names whom somebody claimed to be.
            None => self.note(Kind::SignInRefused, &printable(&email), None).await?,
        }
        admin.map(Into::into).ok_or(ServiceError::Unauthorized)
    }

    pub async fn signed_out(&self, admin: &Admin) -> Result<()> {
        self.note(Kind::SignedOut, &admin.email, admin.account.as_deref()).await
    }

    /// The admin whose session this is, unless the password changed since it began.
    ///
    /// # Errors
    /// `Unauthorized`.
    pub async fn admin_of_session(&self, id: Uuid, signed_in_at: Timestamp) -> Result<Admin> {
        let mut reader = self.database.reader().await?;
        let admin = admins::find(reader.connection(), id).await?;
        admin
            .filter(|admin| admin.password_changed_at <= signed_in_at)
            .map(Into::into)
            .ok_or(ServiceError::Unauthorized)
    }

    async fn note(&self, kind: Kind, email: &str, account: Option<&str>) -> Result<()> {
        let now = self.clock.now();
        let place = AuditSubject { account, ..AuditSubject::default() };
        let add =
            async |mut db: Writer| audit_log::add_at(db.lend(), new_id(now), place, kind, email, now).await;
        Ok(self.database.write(add).await?)
    }
}

/// Cut to a length that an email can have, with control characters escaped.
fn printable(email: &str) -> String {
    let mut out = String::new();
    for c in email.chars().take(254) {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

impl From<admins::Admin> for Admin {
    fn from(row: admins::Admin) -> Self {
        Self {
            id: row.id,
            email: row.email,
            account: row.account_id,
            password_changed_at: row.password_changed_at,
        }
    }
}
