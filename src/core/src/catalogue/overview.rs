//! What the overview and an instance's page list.
//!
//! Another list is a method that reads once and makes the view of `domain::views` from it.

use crate::{
    Result, ServiceError, Services,
    access::{Admin, validate_ids},
    connector::state::with_states,
};
use ipack_domain::{
    ids::{segment, unsegment},
    views::{InstanceCard, InstanceView, Overview},
};
use ipack_storage::{
    environments, instances,
    overview::{self, After, InstanceInList, ProcessInEnvironment},
};

const INSTANCES_PER_PAGE: usize = 20;
const LINES_PER_CARD: usize = 12;
/// Of so many lines the states are told before a card's are chosen: a state is known for sure only when the details were
/// read, and the order in which the database has them comes close.
const LINES_PER_CHOICE: i64 = 36;
const CONNECTIONS_PER_PAGE: i64 = 500;
const ENVIRONMENTS_TO_ATTACH: i64 = 500;

impl Services {
    /// The instances that this admin may see, whose name or pack's name contains `search`, by name.
    pub async fn overview(&self, admin: &Admin, search: &str, after: Option<&str>) -> Result<Overview> {
        let after = after.and_then(read_cursor).unwrap_or_default();
        let (now, allowed) = (self.clock.now(), self.oauth.allowed);
        let mut reader = self.database.reader().await?;
        let limit = i64::try_from(INSTANCES_PER_PAGE).unwrap_or(i64::MAX) + 1;
        let account = admin.account.as_deref();
        let mut found = overview::instances(reader.connection(), account, search, &after, limit).await?;
        let more = found.len() > INSTANCES_PER_PAGE;
        found.truncate(INSTANCES_PER_PAGE);
        let next = found.last().filter(|_| more).map(write_cursor);
        let mut cards = Vec::with_capacity(found.len());
        for InstanceInList { space_guid, space_name, id, name, pack_name } in found {
            let environments = environments::of_instance(reader.connection(), &space_guid, &id).await?;
            let db = reader.connection();
            let lines = overview::oauth_lines(db, &space_guid, &id, admin.id, now, LINES_PER_CHOICE).await?;
            let mut connections = with_states(&space_guid, &id, lines, allowed, now)?;
            connections.truncate(LINES_PER_CARD);
            let all = overview::count_oauth_lines(reader.connection(), &space_guid, &id).await?;
            let shown = i64::try_from(connections.len()).unwrap_or(i64::MAX);
            cards.push(InstanceCard {
                space: space_guid,
                space_name,
                instance: id,
                name,
                pack_name,
                environments,
                connections,
                more: u32::try_from(all - shown).unwrap_or_default(),
            });
        }
        Ok(Overview { instances: cards, next })
    }

    /// One instance with the connections of the chosen process in the chosen environment. What the address does not
    /// choose is chosen where there is but one.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn instance(
        &self,
        admin: &Admin,
        space: &str,
        instance: &str,
        environment: Option<&str>,
        process: Option<&str>,
    ) -> Result<InstanceView> {
        validate_ids([instance])?;
        let mut reader = self.database.reader().await?;
        let space = Self::admin_space(reader.connection(), admin, space).await?;
        let found = instances::find(reader.connection(), &space.guid, instance)
            .await?
            .ok_or(ServiceError::NotFound)?;
        let environments = environments::of_instance(reader.connection(), &space.guid, instance).await?;
        let processes = instances::processes(reader.connection(), &space.guid, instance).await?;
        let all = environments::list(reader.connection(), &space.guid, "", ENVIRONMENTS_TO_ATTACH).await?;
        let attachable = all.into_iter().filter(|one| !environments.contains(one)).collect();

        // An instance is looked at in one environment, so the first stands where none was chosen.
        let environment = match environment {
            Some(id) => environments.iter().find(|one| one.id == id),
            None => environments.first(),
        };
        let environment = environment.map(|one| one.id.clone());
        let process = match (process, &processes[..]) {
            (Some(id), _) => processes.iter().find(|one| one.id == id),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let process = process.map(|one| one.id.clone());
        let connections = match (&environment, &process) {
            (Some(environment), Some(process)) => {
                let place = ProcessInEnvironment { space: &space.guid, instance, environment, process };
                let now = self.clock.now();
                let lines =
                    overview::process_lines(reader.connection(), place, admin.id, now, CONNECTIONS_PER_PAGE)
                        .await?;
                with_states(&space.guid, instance, lines, self.oauth.allowed, now)?
            }
            _ => Vec::new(),
        };
        Ok(InstanceView {
            space: space.guid,
            space_name: space.name,
            instance: found.id,
            name: found.name,
            pack_name: found.pack_name,
            environments,
            attachable,
            processes,
            environment,
            process,
            connections,
        })
    }
}

/// The last instance of a page, as `?after=` carries it: three segments between slashes.
fn write_cursor(last: &InstanceInList) -> String {
    [&last.name, &last.space_guid, &last.id].map(|part| segment(part)).join("/")
}

fn read_cursor(text: &str) -> Option<After> {
    let mut parts = text.split('/').map(unsegment);
    let mut next = || parts.next().flatten().filter(|part| !part.contains('\0'));
    Some(After { name: next()?, space: next()?, id: next()? })
}
