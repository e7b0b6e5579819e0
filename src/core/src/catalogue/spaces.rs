//! The Spaces and accounts that a client may see: its own account, and that account's Spaces.

use crate::{
    access::{self, Client},
    catalogue::page::Page,
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::ids::check_id;
use ipack_storage::{
    accounts::{self, Space},
    packs::{self, Pack},
};
use std::collections::HashMap;

/// Which accounts are meant, by their names. Case makes no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountFilter {
    Contains(String),
    StartsWith(String),
}

impl AccountFilter {
    fn fits(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        match self {
            Self::Contains(part) => name.contains(&part.to_lowercase()),
            Self::StartsWith(part) => name.starts_with(&part.to_lowercase()),
        }
    }
}

impl Services {
    /// The Spaces of the client's account, by guid, each with its packs where they are asked for.
    pub async fn spaces(
        &self,
        client: &Client,
        page: Page<'_>,
        with_packs: bool,
    ) -> Result<Vec<(Space, Vec<Pack>)>> {
        page.check()?;
        let mut reader = self.database.reader().await?;
        let spaces = accounts::spaces(reader.connection(), &client.account, page.after, page.first).await?;
        let mut packs: HashMap<String, Vec<Pack>> = HashMap::new();
        if with_packs
            && let [first, ..] = &*spaces
            && let [.., last] = &*spaces
        {
            let of_page = packs::of_spaces(reader.connection(), &client.account, &first.guid, &last.guid);
            for row in of_page.await? {
                packs.entry(row.space_guid).or_default().push(row.pack);
            }
        }
        let with_its_packs = |space: Space| {
            let packs = packs.remove(&space.guid).unwrap_or_default();
            (space, packs)
        };
        Ok(spaces.into_iter().map(with_its_packs).collect())
    }

    /// One Space of the client's account.
    ///
    /// # Errors
    /// `SpaceNotFound`.
    pub async fn space(&self, client: &Client, guid: &str, with_packs: bool) -> Result<(Space, Vec<Pack>)> {
        check_id(guid).map_err(|message| ServiceError::bad_input("id", message))?;
        let mut reader = self.database.reader().await?;
        let space = access::space_for(reader.connection(), Some(&client.account), guid).await?;
        if !with_packs {
            return Ok((space, Vec::new()));
        }
        let packs = packs::of_spaces(reader.connection(), &client.account, guid, guid).await?;
        Ok((space, packs.into_iter().map(|row| row.pack).collect()))
    }

    /// The ids of the accounts that a client may see, which are their names too: its own.
    pub async fn space_accounts(
        &self,
        client: &Client,
        header: Option<&str>,
        filter: Option<AccountFilter>,
    ) -> Result<Vec<String>> {
        let mut reader = self.database.reader().await?;
        let space = access::client_space(reader.connection(), client, header).await?;
        let is_meant = filter.is_none_or(|filter| filter.fits(&space.account_id));
        Ok(is_meant.then_some(space.account_id).into_iter().collect())
    }
}
