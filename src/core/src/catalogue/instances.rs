//! Instances and environments as the API lists them, installing and uninstalling.

use crate::{
    access::{self, Client},
    catalogue::page::Page,
    connector::details::check_text,
    error::{Result, ServiceError},
    secrets::credentials::Who,
    services::Services,
};
use ipack_domain::{
    catalogue::{Environment, Named},
    effects::new_id,
    ids::check_id,
    rights::Right,
};
use ipack_storage::{
    StorageError, Writer, accounts,
    audit_log::{self, AuditSubject, Kind},
    environments::{self, Attachment},
    instances::{self, Instance, NewInstance},
    packs::{self, InstallationType},
};
use std::collections::HashMap;

/// A name must fit an index entry beside an id and a Space's guid.
const MAX_NAME_BYTES: usize = 255;

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

    /// The processes of an instance, by name.
    ///
    /// # Errors
    /// `InstanceInvalid` where the Space has no such instance.
    pub async fn processes(
        &self,
        client: &Client,
        header: Option<&str>,
        instance: &str,
    ) -> Result<(Instance, Vec<Named>)> {
        check_id(instance)
            .map_err(|message| ServiceError::bad_input("integrationPackInstanceId", message))?;
        let mut reader = self.database.reader().await?;
        let space = access::client_space(reader.connection(), client, header).await?;
        let found = instances::find(reader.connection(), &space.guid, instance).await?;
        let found = found.ok_or(ServiceError::InstanceInvalid)?;
        let processes = instances::processes(reader.connection(), &space.guid, instance).await?;
        Ok((found, processes))
    }

    /// Installs a pack: a multi-install pack under a name of its own, a single-install pack once per account. Without the
    /// header, from the account's only Space that has it.
    ///
    /// # Errors
    /// `PackNotFound`; `SeveralSpaces`; `BadInput` without the name that a multi-install pack needs; `Conflict` at the second
    /// installation of a single-install pack.
    pub async fn install(
        &self,
        client: &Client,
        header: Option<&str>,
        pack_id: &str,
        override_name: Option<&str>,
    ) -> Result<Instance> {
        client.must_have(Right::CatalogueWrite)?;
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
        let space = match header {
            Some(_) => access::client_space(db.lend(), client, header).await?,
            None => {
                let having = accounts::spaces_with_pack(db.lend(), &client.account, pack_id).await?;
                access::only_space(having, ServiceError::PackNotFound)?
            }
        };
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

    /// Removes an instance and all that it held. Without the header, from the account's only Space that has it.
    ///
    /// # Errors
    /// `InstanceInvalid` where there is no such instance; `SeveralSpaces`.
    pub async fn uninstall(&self, client: &Client, header: Option<&str>, instance: &str) -> Result<()> {
        client.must_have(Right::CatalogueWrite)?;
        check_id(instance).map_err(|message| ServiceError::bad_input("id", message))?;
        self.database.write(|db| self.uninstall_once(db, client, header, instance)).await?;
        self.revoke_soon();
        Ok(())
    }

    async fn uninstall_once(
        &self,
        mut db: Writer,
        client: &Client,
        header: Option<&str>,
        instance: &str,
    ) -> Result<()> {
        let now = self.clock.now();
        let space = match header {
            Some(_) => access::client_space(db.lend(), client, header).await?,
            None => {
                let having = accounts::spaces_with_instance(db.lend(), &client.account, instance).await?;
                access::only_space(having, ServiceError::InstanceInvalid)?
            }
        };
        let label = client.label();
        let who = Who { account: &space.account_id, label: &label };
        self.forget_tokens_of(db.lend(), who, &space.guid, instance, None).await?;
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
        audit_log::add_at(db.lend(), new_id(now), place, Kind::InstanceUninstalled, &label, now).await?;
        Ok(())
    }
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
