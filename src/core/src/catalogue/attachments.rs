//! Attaching instances to environments, which is where they run, and ending that.

use crate::{
    access::{self, Admin, Client, validate_ids},
    catalogue::page::MAX_PAGE,
    error::{Result, ServiceError},
    secrets::credentials::Who,
    services::Services,
};
use ipack_domain::{
    effects::new_id,
    ids::{ConnectionKey, check_id},
    rights::Right,
    time::Timestamp,
};
use ipack_storage::{
    Connection, StorageError, Writer,
    accounts::Space,
    audit_log::{self, AuditSubject, Event, Kind},
    details::{self, NewDetails},
    environments::{self, Attachment},
    instances,
};
use uuid::Uuid;

/// Environments that one request may attach an instance to.
const MAX_ATTACHED_AT_ONCE: usize = 100;

impl Services {
    /// The attachments of an instance, by environment; with `environments`, only those to one of them.
    ///
    /// # Errors
    /// `InstanceInvalid` where the Space has no such instance.
    pub async fn attachments(
        &self,
        client: &Client,
        header: Option<&str>,
        instance: &str,
        environments: Option<&[String]>,
    ) -> Result<Vec<Attachment>> {
        check_id(instance).map_err(|message| ServiceError::bad_input("ipackInstanceId", message))?;
        let mut reader = self.database.reader().await?;
        let space = access::client_space(reader.connection(), client, header).await?;
        let found = instances::find(reader.connection(), &space.guid, instance).await?;
        found.ok_or(ServiceError::InstanceInvalid)?;
        let mut attachments =
            environments::attachments_of_instance(reader.connection(), &space.guid, instance, MAX_PAGE)
                .await?;
        if let Some(environments) = environments {
            attachments.retain(|attachment| environments.contains(&attachment.environment_id));
        }
        Ok(attachments)
    }

    /// Attaches an instance to environments of its Space, all or none, and answers their attachments in the same order.
    ///
    /// # Errors
    /// `InstanceInvalid` where the Space has no such instance; `BadInput` where an environment is not there.
    pub async fn attach_for_client(
        &self,
        client: &Client,
        header: Option<&str>,
        instance: &str,
        environments: &[String],
    ) -> Result<Vec<Attachment>> {
        client.must_have(Right::CatalogueWrite)?;
        let of_instance = |message| ServiceError::bad_input("integrationPackInstanceId", message);
        check_id(instance).map_err(of_instance)?;
        if environments.len() > MAX_ATTACHED_AT_ONCE {
            let message = format!("must not name more than {MAX_ATTACHED_AT_ONCE}");
            return Err(ServiceError::bad_input("environmentIds", message));
        }
        for id in environments {
            check_id(id).map_err(|message| ServiceError::bad_input("environmentIds", message))?;
        }
        let attach = async |mut db: Writer| {
            let space = access::client_space(db.lend(), client, header).await?;
            let found = instances::find(db.lend(), &space.guid, instance).await?;
            found.ok_or(ServiceError::InstanceInvalid)?;
            let mut attachments = Vec::with_capacity(environments.len());
            for environment in environments {
                let attachment =
                    self.attach_in(db.lend(), &space, instance, environment, &client.label()).await;
                attachments.push(attachment.map_err(|error| match error {
                    ServiceError::NotFound => {
                        ServiceError::bad_input("environmentIds", "names an environment that is not there")
                    }
                    other => other,
                })?);
            }
            Ok(attachments)
        };
        self.database.write(attach).await
    }

    /// Attaches an instance to an environment of its Space.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn attach(&self, admin: &Admin, space: &str, instance: &str, environment: &str) -> Result<()> {
        validate_ids([instance, environment])?;
        let attach = async |mut db: Writer| {
            let space = access::admin_space(db.lend(), admin, space).await?;
            self.attach_in(db.lend(), &space, instance, environment, &admin.email).await
        };
        self.database.write(attach).await.map(drop)
    }

    /// Attaches an instance, unless it is; a new environment gets what was saved for every environment.
    ///
    /// # Errors
    /// `NotFound` where one of the two is not there.
    async fn attach_in(
        &self,
        mut db: Connection<'_>,
        space: &Space,
        instance: &str,
        environment: &str,
        actor: &str,
    ) -> Result<Attachment> {
        let now = self.clock.now();
        let attached =
            environments::attach(db.lend(), new_id(now), &space.guid, instance, environment, now).await;
        let is_new = attached.map_err(|error| match error {
            StorageError::Reference => ServiceError::NotFound,
            other => other.into(),
        })?;
        if is_new {
            let place = subject(space, instance, environment);
            audit_log::add_at(db.lend(), new_id(now), place, Kind::EnvironmentAttached, actor, now).await?;
            share(db.lend(), actor, &space.account_id, (&space.guid, instance, environment), now).await?;
        }
        let attachment = environments::attachment_to(db, &space.guid, instance, environment).await?;
        attachment.ok_or(ServiceError::NotFound)
    }

    /// Ends an attachment, given by its id or by that of an instance with one attachment: what was saved there goes, and
    /// its tokens are revoked. Answers the attachment's id.
    ///
    /// # Errors
    /// `InstanceInvalid` where there is neither; `Conflict` where the instance is attached nowhere; `BadInput` where it is
    /// attached several times.
    pub async fn unattach(&self, client: &Client, header: Option<&str>, id: &str) -> Result<Uuid> {
        client.must_have(Right::CatalogueWrite)?;
        check_id(id).map_err(|message| ServiceError::bad_input("id", message))?;
        let unattach = |db| self.unattach_once(db, client, header, id);
        let id = self.database.write(unattach).await?;
        self.revoke_soon();
        Ok(id)
    }

    async fn unattach_once(
        &self,
        mut db: Writer,
        client: &Client,
        header: Option<&str>,
        id: &str,
    ) -> Result<Uuid> {
        let now = self.clock.now();
        let space = access::client_space(db.lend(), client, header).await?;
        let Attachment { id, environment_id: environment, instance_id: instance } =
            attachment_named(db.lend(), &space.guid, id).await?;
        // Nothing is saved there from here on that would go without its revocation.
        environments::lock_attachment(db.lend(), id).await?;
        let label = client.label();
        let who = Who { account: &space.account_id, label: &label };
        self.forget_tokens_of(db.lend(), who, &space.guid, &instance, Some(&environment)).await?;
        if !environments::unattach(db.lend(), id).await? {
            return Err(ServiceError::InstanceInvalid);
        }
        let place = subject(&space, &instance, &environment);
        let kind = Kind::EnvironmentUnattached;
        audit_log::add_at(db.lend(), new_id(now), place, kind, &label, now).await?;
        Ok(id)
    }
}

async fn attachment_named(mut db: Connection<'_>, space: &str, id: &str) -> Result<Attachment> {
    if let Ok(id) = Uuid::parse_str(id)
        && let Some(attachment) = environments::attachment(db.lend(), space, id).await?
    {
        return Ok(attachment);
    }
    let mut of_instance = environments::attachments_of_instance(db.lend(), space, id, 2).await?;
    match (of_instance.pop(), of_instance.pop()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            let message = "names an instance with several attachments: it must be the attachment's";
            Err(ServiceError::bad_input("id", message))
        }
        (None, _) => match instances::find(db, space, id).await? {
            Some(_) => Err(ServiceError::Conflict("The instance is attached to no environment.".into())),
            None => Err(ServiceError::InstanceInvalid),
        },
    }
}

fn subject<'a>(space: &'a Space, instance: &'a str, environment: &'a str) -> AuditSubject<'a> {
    AuditSubject {
        account: Some(&space.account_id),
        space: Some(&space.guid),
        instance: Some(instance),
        environment: Some(environment),
        ..AuditSubject::default()
    }
}

/// Gives a new environment what was saved for every environment.
async fn share(
    mut db: Connection<'_>,
    actor: &str,
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
            saved_by: actor,
            provider: shared.provider.as_ref(),
        };
        details::insert_first(db.lend(), new_id(now), &key, new, now).await?;
        let event = Event {
            account,
            key: &key,
            kind: Kind::DetailsSaved,
            actor,
            changed: &["the values of every environment"],
            detail: None,
        };
        audit_log::add(db.lend(), new_id(now), event, now).await?;
    }
    Ok(())
}
