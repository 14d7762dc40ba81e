//! Builds the bytes of an index. Pure.

use std::collections::BTreeMap;

use super::{CHECKED_FROM, CHECKSUM_AT, FORMAT, HEADER, MAGIC, ROW};
use crate::advisory::{Advisory, Provenance};
use crate::error::{Error, Result};

/// The index of these packages, by their names in normal form. Equal input gives equal bytes.
///
/// # Errors
/// It would be larger than four gigabytes.
pub fn write(
    provenance: &Provenance,
    packages: &BTreeMap<String, Vec<Advisory>>,
) -> Result<Vec<u8>> {
    let about = postcard::to_stdvec(provenance).map_err(|cause| failed(provenance, &cause))?;
    let mut rows = Vec::with_capacity(packages.len().saturating_mul(ROW));
    let mut data: Vec<u8> = Vec::new();
    for (name, advisories) in packages {
        let name_at = data.len();
        data.extend(name.as_bytes());
        let block_at = data.len();
        data = postcard::to_extend(advisories, data).map_err(|cause| failed(provenance, &cause))?;
        for number in [name_at, name.len(), block_at, data.len() - block_at] {
            rows.extend(small(number, provenance)?);
        }
    }
    let length = HEADER + about.len() + rows.len() + data.len();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend([0; CHECKED_FROM - CHECKSUM_AT]);
    bytes.extend((length as u64).to_le_bytes());
    bytes.extend(small(about.len(), provenance)?);
    bytes.extend(small(packages.len(), provenance)?);
    bytes.extend(about);
    bytes.extend(rows);
    bytes.extend(data);
    let checksum = crc32fast::hash(&bytes[CHECKED_FROM..]);
    bytes[CHECKSUM_AT..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

fn small(number: usize, provenance: &Provenance) -> Result<[u8; 4]> {
    u32::try_from(number)
        .map(u32::to_le_bytes)
        .map_err(|_| failed(provenance, &"more than four gigabytes"))
}

fn failed(provenance: &Provenance, cause: &dyn std::fmt::Display) -> Error {
    Error::failure(format!(
        "make the index of {} from {}: {cause}",
        provenance.ecosystem, provenance.source
    ))
}
