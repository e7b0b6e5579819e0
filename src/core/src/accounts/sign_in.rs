//! Signing in with email and password, and who a session belongs to.

use crate::{
    access::{self, Admin},
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
        match found.map(Admin::from) {
            Some(admin) if right => {
                self.note(Kind::SignedIn, &admin).await?;
                Ok(admin)
            }
            // Counted in memory, so that neither a write nor its time tells a known email from an unknown one.
            admin => {
                let actor = admin.as_ref().map_or(access::STRANGER, |admin| &admin.email);
                let account = admin.as_ref().and_then(|admin| admin.account.as_deref());
                self.count_refusal(Kind::SignInRefused, actor, account, None);
                Err(ServiceError::Unauthorized)
            }
        }
    }

    pub async fn signed_out(&self, admin: &Admin) -> Result<()> {
        self.note(Kind::SignedOut, admin).await
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

    async fn note(&self, kind: Kind, admin: &Admin) -> Result<()> {
        let now = self.clock.now();
        let place = AuditSubject { account: admin.account.as_deref(), ..AuditSubject::default() };
        let (id, email) = (new_id(now), &admin.email);
        let add = async |mut db: Writer| audit_log::add_at(db.lend(), id, place, kind, email, now).await;
        Ok(self.database.write(add).await?)
    }
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
