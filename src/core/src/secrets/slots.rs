//! The secrets of a connection by their slots, and where each may be sent.

use crate::error::{Result, ServiceError};
use ipack_oauth::endpoints::Destination;
use ipack_storage::{
    client_secrets::{ClientSecret, Slot},
    columns::JsonText,
};

pub(crate) fn write_destination(destination: &Destination) -> Result<JsonText> {
    JsonText::of(destination).map_err(|_| ServiceError::Internal("a destination cannot be written"))
}

pub fn read_destination(destination: &JsonText) -> Result<Destination> {
    Ok(destination.read("destination")?)
}

/// Of several secrets, the one in a slot.
pub fn in_slot(secrets: &[ClientSecret], slot: Slot) -> Option<&ClientSecret> {
    secrets.iter().find(|secret| secret.slot == slot)
}

/// The secret that may be sent to this destination; a replacement comes before what it is to replace.
pub(crate) fn bound<'a>(
    secrets: &'a [ClientSecret],
    destination: &Destination,
) -> Result<Option<&'a ClientSecret>> {
    for slot in [Slot::Replacement, Slot::Current] {
        if let Some(secret) = in_slot(secrets, slot)
            && read_destination(&secret.destination)? == *destination
        {
            return Ok(Some(secret));
        }
    }
    Ok(None)
}
