//! The catalogue around connections: instances and environments as the API lists them, installing, uninstalling,
//! attaching.

use crate::{
    access::{self, Admin, Client, validate_ids},
    connector::details::check_text,
    error::{Result, ServiceError},
    services::Services,
    tokens::revocation::PendingRevocation,
};
use ipack_domain::{
    catalogue::Environment,
    effects::new_id,
    ids::{ConnectionKey, check_id},
    time::Timestamp,
};
use ipack_storage::{
    Connection, StorageError, Writer,
    audit_log::{self, AuditSubject, Event, Kind},
    details::{self, NewDetails},
    environments::{self, Attachment},
    instances::{self, Instance, NewInstance},
    packs::{self, InstallationType},
};
use std::collections::HashMap;

/// The most that one page of a list holds.
pub const MAX_PAGE: i64 = 1_000;
/// A name must fit an index entry beside an id and a Space's guid.
const MAX_NAME_BYTES: usize = 255;

/// A page of a list: at most `first` entries whose ids come after `after`.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    pub first: i64,
    pub after: &'a str,
}

impl Page<'_> {
    fn check(&self) -> Result<()> {
        if !(1..=MAX_PAGE).contains(&self.first) {
            return Err(ServiceError::bad_input("first", format!("must be between 1 and {MAX_PAGE}")));
        }
        if self.after.contains('\0') {
            return Err(ServiceError::bad_input("after", "must not contain a NUL character"));
        }
        Ok(())
    }
}

impl Services {
    /// The instances of a Space, by id.
    pub async fn instances(
        &self,
        client: &Client,
        header: Option<&str>,
        page: Page<'_>,
    ) -> Result<Vec<Instance>> {
        page.check()?;
        let mut reader = self.database.reader().await?;
        let space = access::client_space(reader.connection(), client, header).await?;
        Ok(instances::list(reader.connection(), &space.guid, page.after, page.first).await?)
    }

    /// The environments of a Space, by id, each with its attachments.
    pub async fn environments(
        &self,
        client: &Client,
        header: Option<&str>,
        page: Page<'_>,
    ) -> Result<Vec<(Environment, Vec<Attachment>)>> {
        page.check()?;
        let mut reader = self.database.reader().await?;
        let space = access::client_space(reader.connection(), client, header).await?;
        let environments =
            environments::list(reader.connection(), &space.guid, page.after, page.first).await?;
        let mut attachments: HashMap<String, Vec<Attachment>> = HashMap::new();
        if let [first, ..] = &*environments
            && let [.., last] = &*environments
        {
            let of_page =
                environments::attachments(reader.connection(), &space.guid, &first.id, &last.id).await?;
            for attachment in of_page {
                attachments.entry(attachment.environment_id.clone()).or_default().push(attachment);
            }
        }
        Ok(environments
            .into_iter()
            .map(|environment| {
                let attached = attachments.remove(&environment.id).unwrap_or_default();
                (environment, attached)
            })
            .collect())
    }

    /// Installs a pack: a multi-install pack under a name of its own, a single-install pack once per account.
    ///
    /// # Errors
    /// `PackNotFound`; `BadInput` without the name that a multi-install pack needs; `Conflict` at the second
    /// installation of a single-install pack.
    pub async fn install(
        &self,
        client: &Client,
        header: Option<&str>,
        pack_id: &str,
        override_name: Option<&str>,
    ) -> Result<Instance> {
        check_id(pack_id).map_err(|message| ServiceError::bad_input("integrationPackId", message))?;
        self.database.write(|db| self.install_once(db, client, header, pack_id, override_name)).await
    }

    async fn install_once(
        &self,
        mut db: Writer,
        client: &Client,
        header: Option<&str>,
        pack_id: &str,
        override_name: Option<&str>,
    ) -> Result<Instance> {
        let now = self.clock.now();
        let space = access::client_space(db.lend(), client, header).await?;
        let pack = packs::find(db.lend(), &space.guid, pack_id).await?.ok_or(ServiceError::PackNotFound)?;
        let is_single = pack.installation_type == InstallationType::Single;
        let name = override_name.map(str::trim).filter(|name| !name.is_empty());
        if let Some(name) = name {
            check_name("integrationPackOverrideName", name)?;
        } else if !is_single {
            let message = "is needed: this integration pack can be installed several times";
            return Err(ServiceError::bad_input("integrationPackOverrideName", message));
        }
        let id = new_id(now).to_string();
        let new = NewInstance {
            space: &space.guid,
            id: &id,
            account: &space.account_id,
            pack: Some(pack_id),
            name: name.unwrap_or(&pack.name),
            override_name: name,
            pack_name: &pack.name,
            single_pack: is_single.then_some(pack_id),
        };
        instances::add(db.lend(), new, now).await.map_err(|error| match error {
            StorageError::Exists => ServiceError::Conflict(
                "This integration pack is installed already, and can be only once.".into(),
            ),
            other => other.into(),
        })?;
        instances::adopt_pack(db.lend(), &space.guid, &id, pack_id).await?;
        let place = AuditSubject {
            account: Some(&space.account_id),
            space: Some(&space.guid),
            instance: Some(&id),
            ..AuditSubject::default()
        };
        audit_log::add_at(db.lend(), new_id(now), place, Kind::InstanceInstalled, &client.label(), now)
            .await?;
        let instance = instances::find(db.lend(), &space.guid, &id).await?;
        instance.ok_or(ServiceError::Internal("an instance just installed is gone"))
    }

    /// Removes an instance and all that it held.
    ///
    /// # Errors
    /// `InstanceInvalid` where the Space has no such instance.
    pub async fn uninstall(&self, client: &Client, header: Option<&str>, instance: &str) -> Result<()> {
        let (account, pending_revocations) =
            self.database.write(|db| self.uninstall_once(db, client, header, instance)).await?;
        self.revoke_uninstalled(pending_revocations, &account, &client.label());
        Ok(())
    }

    async fn uninstall_once(
        &self,
        mut db: Writer,
        client: &Client,
        header: Option<&str>,
        instance: &str,
    ) -> Result<(String, Vec<(ConnectionKey, PendingRevocation)>)> {
        let now = self.clock.now();
        let space = access::client_space(db.lend(), client, header).await?;
        check_id(instance).map_err(|message| ServiceError::bad_input("id", message))?;
        let pending_revocations =
            self.pending_revocations_of_instance(db.lend(), &space.guid, instance).await?;
        if !instances::remove(db.lend(), &space.guid, instance).await? {
            return Err(ServiceError::InstanceInvalid);
        }
        audit_log::remove_of_instance(db.lend(), &space.guid, instance).await?;
        let place = AuditSubject {
            account: Some(&space.account_id),
            space: Some(&space.guid),
            instance: Some(instance),
            ..AuditSubject::default()
        };
        audit_log::add_at(db.lend(), new_id(now), place, Kind::InstanceUninstalled, &client.label(), now)
            .await?;
        Ok((space.account_id, pending_revocations))
    }

    /// Attaches an instance to an environment of its Space.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn attach(&self, admin: &Admin, space: &str, instance: &str, environment: &str) -> Result<()> {
        validate_ids([instance, environment])?;
        self.database.write(|db| self.attach_once(db, admin, space, instance, environment)).await
    }

    async fn attach_once(
        &self,
        mut db: Writer,
        admin: &Admin,
        space: &str,
        instance: &str,
        environment: &str,
    ) -> Result<()> {
        let now = self.clock.now();
        let space = access::admin_space(db.lend(), admin, space).await?;
        let attached =
            environments::attach(db.lend(), new_id(now), &space.guid, instance, environment, now).await;
        match attached {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(StorageError::Reference) => return Err(ServiceError::NotFound),
            Err(other) => return Err(other.into()),
        }
        let place = AuditSubject {
            account: Some(&space.account_id),
            space: Some(&space.guid),
            instance: Some(instance),
            environment: Some(environment),
        };
        audit_log::add_at(db.lend(), new_id(now), place, Kind::EnvironmentAttached, &admin.email, now)
            .await?;
        share(db.lend(), admin, &space.account_id, (&space.guid, instance, environment), now).await?;
        Ok(())
    }
}

/// Gives a new environment what was saved for every environment.
async fn share(
    mut db: Connection<'_>,
    admin: &Admin,
    account: &str,
    (space, instance, environment): (&str, &str, &str),
    now: Timestamp,
) -> Result<()> {
    for shared in details::shared(db.lend(), space, instance).await? {
        let key = ConnectionKey {
            space: space.into(),
            instance: instance.into(),
            environment: environment.into(),
            process: shared.process_id,
            connection: shared.connection_id,
        };
        let new = NewDetails {
            is_token_generated: false,
            oauth_connector_details: &shared.oauth_connector_details,
            client_id: &shared.client_id,
            complete: shared.complete,
            saved_by: &admin.email,
            provider: shared.provider.as_ref(),
        };
        details::insert_first(db.lend(), new_id(now), &key, new, now).await?;
        let event = Event {
            account,
            key: &key,
            kind: Kind::DetailsSaved,
            actor: &admin.email,
            changed: &["the values of every environment"],
            detail: None,
        };
        audit_log::add(db.lend(), new_id(now), event, now).await?;
    }
    Ok(())
}

pub(crate) fn check_name(field: &str, name: &str) -> Result<()> {
    check_text(field, name)?;
    if name.len() > MAX_NAME_BYTES {
        return Err(ServiceError::bad_input(
            field,
            format!("must not be longer than {MAX_NAME_BYTES} bytes"),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(ServiceError::bad_input(field, "must not contain control characters"));
    }
    Ok(())
}
